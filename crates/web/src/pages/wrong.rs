//! What is wrong with a form, to be shown in it. Its rules are those of the API, and so are the words.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use super::{
    failure::{Failure, sentence},
    parts::{self, Tone},
};
use crate::error::ApiError;

/// Nothing, or why a form was refused.
#[derive(Debug, Default)]
pub(in crate::pages) struct Wrong(Option<ApiError>);

impl Wrong {
    /// What was refused because of what was typed, or of what is there; every other error is no matter of the form.
    pub(in crate::pages) fn of(error: impl Into<ApiError>) -> Result<Self, Failure> {
        let error = error.into();
        match error.status() {
            StatusCode::BAD_REQUEST | StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => Ok(Self(Some(error))),
            _ => Err(error.into()),
        }
    }

    /// What is wrong with a field. That something is there already is a matter of its name.
    pub(in crate::pages) fn with(&self, name: &str) -> Option<String> {
        let error = self.0.as_ref()?;
        match error.field() {
            Some(field) if field == name => Some(sentence(&without_name(error.message(), field))),
            None if name == "name" && error.status() == StatusCode::CONFLICT => Some(sentence(error.message())),
            _ => None,
        }
    }

    /// What stands above the form if anything is wrong. What no field of these names shows is said here.
    pub(in crate::pages) fn notice(&self, fields: &[&str]) -> Markup {
        let Some(error) = &self.0 else { return html! {} };
        let is_shown = fields.iter().any(|name| self.with(name).is_some());
        let text = match error.status() {
            _ if is_shown => "Nothing was saved yet: see below.".to_owned(),
            StatusCode::PRECONDITION_FAILED => {
                "Somebody else changed this meanwhile. What you typed is still here: save again to put it in place of theirs."
                    .to_owned()
            }
            _ => sentence(error.message()),
        };
        parts::notice(Tone::Bad, &html! { p { (text) } })
    }

    /// The page with the form, under the status that says whether anything is wrong.
    pub(in crate::pages) fn shown_on(&self, page: Response) -> Response {
        let status = if self.0.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        (status, page).into_response()
    }
}

/// The API names the field; a form shows it beside it.
fn without_name(message: &str, field: &str) -> String {
    message.strip_prefix(field).map_or_else(|| message.to_owned(), |rest| format!("It{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_beside_its_field_and_nowhere_else() {
        let wrong = Wrong::of(ApiError::invalid("name", "must not be empty")).ok().unwrap();
        assert_eq!(wrong.with("name").as_deref(), Some("It must not be empty."));
        assert_eq!(wrong.with("scope"), None);
        assert!(wrong.notice(&["name"]).into_string().contains("see below"));
        assert!(wrong.notice(&["scope"]).into_string().contains("Name must not be empty."), "no error is lost");
    }

    #[test]
    fn a_name_that_is_taken_is_a_matter_of_the_name() {
        let wrong = Wrong::of(ApiError::already_exists("there is an agent of that name")).ok().unwrap();
        assert_eq!(wrong.with("name").as_deref(), Some("There is an agent of that name."));
        assert_eq!(wrong.with("config"), None);
    }

    #[test]
    fn what_is_missing_or_out_of_order_is_no_matter_of_the_form() {
        for error in [ApiError::agent_not_found(), ApiError::internal(), ApiError::unavailable("not now")] {
            assert!(Wrong::of(error).is_err());
        }
    }
}
