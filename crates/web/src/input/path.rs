//! Ids in a request's path.

use std::{convert::Infallible, str::FromStr};

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};

use crate::error::ApiError;

/// The id in the path, still as text.
pub(crate) struct Id(String);

impl Id {
    /// The text itself; empty if it is none.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// The id's value. A text that cannot be one names nothing: it answers as a missing resource does.
    pub(crate) fn parse<T: FromStr>(&self, missing: impl FnOnce() -> ApiError) -> Result<T, ApiError> {
        self.0.parse().map_err(|_| missing())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        // What is no text names nothing, as the empty text does.
        Ok(Self(path.map_or_else(|_| String::new(), |Path(text)| text)))
    }
}
