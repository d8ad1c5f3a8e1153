//! What a form sends.

use std::collections::HashMap;

use axum::{
    body::Body,
    extract::{FromRequestParts, Request},
    http::{header, request::Parts},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use super::Visitor;
use crate::{error::ApiError, input::Fields, pages::failure::Failure};

/// The most that a form can hold, in bytes: a payload to check a signature of, many times over.
pub(super) const LONGEST: usize = 512 * 1024;

/// The most that one of somebody who is not signed in can hold.
pub(super) const LONGEST_OF_ANYBODY: usize = 8 * 1024;

/// The name of the field that every form of a visitor carries.
pub(in crate::pages) const CSRF: &str = "csrf";

/// The fields of a form by their names. Of fields with one name the first counts.
#[derive(Debug, Clone, Default)]
pub(in crate::pages) struct Form(HashMap<String, String>);

impl Form {
    /// Reads the body of a request, up to a limit in bytes.
    pub(super) async fn read(request: &mut Request, longest: usize) -> Result<Self, Failure> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
        {
            return Err(ApiError::unsupported_form().into());
        }
        let body = std::mem::replace(request.body_mut(), Body::empty());
        let body = Limited::new(body, longest).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { ApiError::too_large(longest) } else { ApiError::request_timeout() }
        })?;
        Ok(Self::parse(&body.to_bytes()))
    }

    fn parse(body: &[u8]) -> Self {
        let mut fields = HashMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            fields.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        Self(fields)
    }

    /// Refuses a form that was not made for this session.
    pub(super) fn belongs_to(&self, visitor: &Visitor) -> Result<(), Failure> {
        let given = self.0.get(CSRF).map(String::as_str).unwrap_or_default();
        if bool::from(given.as_bytes().ct_eq(visitor.csrf.as_bytes())) {
            return Ok(());
        }
        Err(Failure::forbidden("This form belongs to another session. Open the page again and repeat what you did."))
    }

    /// A field as it was typed; empty if it is missing.
    pub(in crate::pages) fn text(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Whether a box is ticked or a button of that name was pressed.
    pub(in crate::pages) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The named fields as the API takes them: what is empty is not there, and white space around the rest is not meant.
    pub(in crate::pages) fn fields(&self, names: &[&str]) -> Fields {
        let filled = names.iter().filter_map(|name| {
            let text = self.text(name).trim();
            (!text.is_empty()).then(|| ((*name).to_owned(), Value::from(text)))
        });
        Fields::of(filled.collect::<Map<_, _>>())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Form {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.remove().ok_or_else(|| {
            tracing::error!("a page asks for a form that nobody read");
            ApiError::internal().into()
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_of_a_name_counts_and_what_is_empty_is_missing() {
        let form = Form::parse(b"url=+https%3A%2F%2Fa.example%2F+&url=no&secret=&note=%C3%A9&flag");
        assert_eq!((form.text("url"), form.text("note"), form.text("other")), (" https://a.example/ ", "é", ""));
        assert!(form.has("flag") && form.has("secret") && !form.has("other"));
        let mut fields = form.fields(&["url", "secret"]);
        assert_eq!(fields.value("url"), Some(Value::from("https://a.example/")));
        assert_eq!(fields.value("secret"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_some_form(body: Vec<u8>) {
            let _ = Form::parse(&body);
        }
    }
}
