//! What the API answers, and what every answer has to keep to.

use std::io::Read;

use axum::{
    body::Body,
    http::{HeaderMap, Response, StatusCode},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::Value;

/// What no answer may contain: the insides of the server, and what was entrusted to it.
const INSIDES: [&str; 13] = [
    "sqlite",
    "no such table",
    "no such column",
    "SELECT",
    "panicked",
    "crates/",
    ".rs:",
    "/tmp/",
    "hidden_",
    "unwrap",
    "canary-of-secret",
    "canary-of-config",
    "canary-of-header",
];

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Headers that differ between answers that say the same.
const OF_THE_MOMENT: [&str; 3] = ["date", "x-request-id", "ratelimit"];

/// Whether a caller could tell two answers apart by what they say.
impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        self.status == other.status && self.body == other.body && self.lasting_headers() == other.lasting_headers()
    }
}

impl Answer {
    fn lasting_headers(&self) -> Vec<(&str, &[u8])> {
        let of_the_moment = |name: &str| OF_THE_MOMENT.iter().any(|known| name.starts_with(known));
        let headers = self.headers.iter().filter(|(name, _)| !of_the_moment(name.as_str()));
        let mut headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        headers.sort_unstable();
        headers
    }

    /// Reads an answer and checks what all answers have in common.
    pub(super) async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        // A stream has no end to wait for; what it says is looked at elsewhere.
        let is_stream = parts.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let body = if is_stream { Body::empty() } else { body };
        let body = plain(&parts.headers, body.collect().await.unwrap().to_bytes());
        let answer = Self { status: parts.status, headers: parts.headers, body };
        assert!(answer.header("x-request-id").is_some_and(|id| !id.is_empty()));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        for inside in INSIDES {
            assert!(!answer.text().contains(inside), "{inside} in {answer:?}");
        }
        if answer.status.is_client_error() || answer.status.is_server_error() {
            answer.check_error();
        }
        answer
    }

    /// Every error is JSON: a sentence, a code, and details only if there are any.
    fn check_error(&self) {
        assert_eq!(self.header("content-type"), Some("application/json"));
        let error = self.json();
        let given = names(&error);
        assert!(given == ["error", "code"] || given == ["error", "code", "details"], "{error}");
        assert!(error["error"].as_str().is_some_and(|sentence| sentence.contains(' ')), "{error}");
        let code = error["code"].as_str().unwrap();
        assert!(!code.is_empty() && code.chars().all(|c| c.is_ascii_uppercase() || c == '_'), "{error}");
        assert!(error["details"].as_object().is_none_or(|details| !details.is_empty()), "{error}");
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body of an answer that must have this status.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// The id of what was created.
    #[track_caller]
    pub(crate) fn id(&self) -> String {
        self.is(201)["id"].as_str().unwrap().to_owned()
    }

    /// The details of an error that must have this status and code.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, code: &str) -> Value {
        let error = self.is(status);
        assert_eq!(error["code"], code, "{error}");
        error["details"].clone()
    }

    /// Checks that the answer is a refusal for the sake of a field.
    #[track_caller]
    pub(crate) fn refuses_field(&self, code: &str, field: &str) {
        let details = self.refuses(400, code);
        assert_eq!(details, serde_json::json!({"field": field}), "{}", self.text());
        assert!(self.json()["error"].as_str().unwrap().starts_with(field), "{}", self.text());
    }

    /// Checks that the answer is a refusal because of the state that something is in.
    #[track_caller]
    pub(crate) fn refuses_state(&self, current: &str) {
        let details = self.refuses(400, "INVALID_STATE");
        assert_eq!(details, serde_json::json!({"current_status": current}), "{}", self.text());
    }
}

/// A body without its compression.
fn plain(headers: &HeaderMap, body: Bytes) -> Bytes {
    if headers.get("content-encoding").is_none_or(|encoding| encoding != "gzip") {
        return body;
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
    plain.into()
}

/// The names of an object's fields, in their order.
#[track_caller]
pub(crate) fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap_or_else(|| panic!("no object: {object}")).keys().map(String::as_str).collect()
}
