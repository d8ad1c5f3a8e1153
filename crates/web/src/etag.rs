//! Entity tags: `"3"` is what somebody set up three times, `"3-1f-0"` the same after its deliveries left something on it.
//!
//! A tag changes with every change to a resource, those that no answer shows too. Whether a change is refused as stale depends
//! on the first number alone: what deliveries leave on a webhook is nothing that a change could overwrite, and on a busy one it
//! would refuse them all.

use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use preclinical_core::{
    agent::Agent,
    version::{Expected, Version},
    webhook::Webhook,
};
use serde::Serialize;

use crate::error::ApiError;

/// The tag of a resource as it is now.
pub(crate) struct Tag(String);

impl From<&Agent> for Tag {
    fn from(agent: &Agent) -> Self {
        Self(format!("\"{}\"", agent.version.0))
    }
}

impl From<&Webhook> for Tag {
    fn from(webhook: &Webhook) -> Self {
        let (version, health) = (webhook.version.0, &webhook.health);
        let Some(at) = health.last_triggered_at else { return Self(format!("\"{version}\"")) };
        // A replay of what was missed changes that alone.
        let missed = health.missed_since.map(|since| format!("-{:x}", since.as_microsecond())).unwrap_or_default();
        Self(format!("\"{version}-{:x}-{}{missed}\"", at.as_microsecond(), health.consecutive_failures))
    }
}

impl Tag {
    /// An answer with this tag.
    pub(crate) fn on(self, view: impl Serialize) -> Response {
        ([(header::ETAG, self.0)], Json(view)).into_response()
    }

    /// The same, or 304 without a body if the caller has it already.
    pub(crate) fn unless(self, known: &IfNoneMatch, view: impl Serialize) -> Response {
        if known.has(&self) { (StatusCode::NOT_MODIFIED, [(header::ETAG, self.0)]).into_response() } else { self.on(view) }
    }
}

/// `If-Match`: which versions a change is meant for. A weak tag names none.
pub(crate) struct IfMatch(pub(crate) Expected);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let expected = match tags(parts, &header::IF_MATCH)? {
            None | Some(Tags::All) => Expected::Any,
            Some(Tags::Some(tags)) => Expected::OneOf(tags.iter().filter_map(|tag| version(tag)).collect()),
        };
        Ok(Self(expected))
    }
}

/// `If-None-Match`: the tags of what the caller has.
pub(crate) struct IfNoneMatch(Option<Tags>);

impl IfNoneMatch {
    fn has(&self, tag: &Tag) -> bool {
        match &self.0 {
            None => false,
            Some(Tags::All) => true,
            Some(Tags::Some(tags)) => tags.iter().any(|known| known.strip_prefix("W/").unwrap_or(known) == tag.0),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        tags(parts, &header::IF_NONE_MATCH).map(Self)
    }
}

enum Tags {
    All,
    Some(Vec<String>),
}

/// The tags of a header, as they stand there; `None` without the header.
fn tags(parts: &Parts, name: &HeaderName) -> Result<Option<Tags>, ApiError> {
    let shown = if *name == header::IF_MATCH { "If-Match" } else { "If-None-Match" };
    let wrong = || ApiError::invalid(shown, "must be entity tags such as \"3\", by commas, or *");
    let mut tags = Vec::new();
    for value in parts.headers.get_all(name) {
        let text = value.to_str().map_err(|_| wrong())?;
        if text.trim() == "*" {
            return Ok(Some(Tags::All));
        }
        for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            if !is_tag(tag) {
                return Err(wrong());
            }
            tags.push(tag.to_owned());
        }
    }
    let is_there = parts.headers.contains_key(name);
    if is_there && tags.is_empty() { Err(wrong()) } else { Ok(is_there.then_some(Tags::Some(tags))) }
}

/// Commas stand in no tag of ours, so they always part two.
fn is_tag(text: &str) -> bool {
    let opaque = text.strip_prefix("W/").unwrap_or(text);
    let inner = opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| HeaderValue::from_str(inner).is_ok() && !inner.contains('"'))
}

/// The version that a tag of ours speaks of.
fn version(tag: &str) -> Option<Version> {
    let inner = tag.strip_prefix('"')?.strip_suffix('"')?;
    let digits = inner.split('-').next()?;
    let number: u32 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(Version(number))
}
