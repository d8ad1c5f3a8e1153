//! Parameters behind the `?`.

use std::str::FromStr;

use axum::{extract::FromRequestParts, http::request::Parts};
use jiff::Timestamp;
use preclinical_core::{port::Page, search::Search};
use url::form_urlencoded;

use super::Fields;
use crate::error::ApiError;

/// How long a page is unless told otherwise.
pub(crate) const DEFAULT_LIMIT: u32 = 20;
/// How long a page may be.
pub(crate) const MAX_LIMIT: u32 = 100;

/// A request's parameters; each is taken out by name, and what is left at the end is refused.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    fn take(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let Some(index) = self.0.iter().position(|(given, _)| given == name) else { return Ok(None) };
        let (_, value) = self.0.swap_remove(index);
        if self.0.iter().any(|(given, _)| given == name) {
            return Err(ApiError::invalid(name, "is given more than once"));
        }
        Ok(Some(value))
    }

    /// A parameter that `parse` understands.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = self.take(name)? else { return Ok(None) };
        parse(&text).map(Some).ok_or_else(|| ApiError::invalid(name, format!("must be {expected}")))
    }

    /// A UUID.
    pub(crate) fn id<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, ApiError> {
        self.parsed(name, "a UUID", |text| text.parse().ok())
    }

    /// A point in time.
    pub(crate) fn time(&mut self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        self.parsed(name, "a time such as 2026-01-30T10:32:45Z", |text| text.parse().ok())
    }

    /// Free text that names something. An empty one, as an empty search box sends it, restricts nothing.
    pub(crate) fn search(&mut self, name: &str) -> Result<Option<Search>, ApiError> {
        let text = self.take(name)?.filter(|text| !text.trim().is_empty());
        Ok(text.map(|text| text.parse().unwrap_or(Search::Nothing)))
    }

    /// `limit`: 20 unless told, 1 to 100.
    pub(crate) fn limit(&mut self) -> Result<u32, ApiError> {
        let within = |limit: &u32| (1..=MAX_LIMIT).contains(limit);
        let limit = self.parsed("limit", "a whole number from 1 to 100", |text| text.parse().ok().filter(within))?;
        Ok(limit.unwrap_or(DEFAULT_LIMIT))
    }

    /// `limit` and `offset`.
    pub(crate) fn page(&mut self) -> Result<Page, ApiError> {
        let limit = self.limit()?;
        let offset = self.parsed("offset", "a whole number from 0", |text| text.parse().ok())?;
        Ok(Page { limit, offset: offset.unwrap_or(0) })
    }

    /// A parameter as it is; empty if it is missing.
    pub(crate) fn text(&mut self, name: &str) -> Result<String, ApiError> {
        Ok(self.take(name)?.unwrap_or_default())
    }

    /// What is left, as the body of the same call would have it. What is empty is not there: a form sends every field.
    pub(crate) fn fields(self) -> Fields {
        let filled = self.0.into_iter().filter(|(_, value)| !value.is_empty());
        Fields::of(filled.map(|(name, value)| (name, value.into())).collect())
    }

    /// Refuses parameters that nobody took.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        self.0.first().map_or(Ok(()), |(name, _)| Err(ApiError::invalid(name, "is not a parameter of this call")))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }
}
