//! A request's body: a JSON object within a limit.

use std::error::Error;

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use tower_http::timeout::TimeoutError;

use super::{Fields, json};
use crate::error::ApiError;

/// The limit of most calls, in bytes.
pub(crate) const SMALL: usize = 256 * 1024;

/// The limit of calls that bring scenario results, with their transcripts.
pub(crate) const LARGE: usize = 16 * 1024 * 1024;

/// The fields of a body of at most `LIMIT` bytes. An empty body has none.
pub(crate) struct Body<const LIMIT: usize>(pub(crate) Fields);

impl<S: Send + Sync, const LIMIT: usize> FromRequest<S> for Body<LIMIT> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        let is_json = is_json(request.headers());
        let (parts, body) = request.into_parts();
        let bytes = read_body(&parts.headers, body, LIMIT).await?;
        if bytes.is_empty() {
            return Ok(Self(Fields::of(Map::new())));
        }
        if !is_json {
            return Err(ApiError::unsupported_media_type());
        }
        match json::parse(&bytes) {
            Ok(Value::Object(fields)) => Ok(Self(Fields::of(fields))),
            Ok(_) => Err(ApiError::invalid_json("it is another kind of value")),
            Err(error) => Err(ApiError::invalid_json(json::why(&bytes, &error))),
        }
    }
}

/// The bytes of a body. One that is announced as too long is not read at all.
pub(crate) async fn read_body(headers: &HeaderMap, body: axum::body::Body, limit: usize) -> Result<Bytes, ApiError> {
    if announced(headers).is_some_and(|length| length > limit) {
        return Err(ApiError::too_large(limit));
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::too_large(limit)),
        Err(error) if is_late(&*error) => Err(ApiError::request_timeout()),
        Err(_) => Err(ApiError::invalid_json("it ended early")),
    }
}

fn is_late(error: &(dyn Error + 'static)) -> bool {
    error.is::<TimeoutError>() || error.source().is_some_and(is_late)
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the type is JSON, or not said.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let Ok(value) = value.to_str() else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
