//! The errors of a call in the document.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::error::code::{self, Code};

/// Refusals that are the same wherever they occur, under the names of their components.
const SHARED: &[(&str, Code)] = &[
    ("Unauthorized", code::UNAUTHORIZED),
    ("Forbidden", code::FORBIDDEN),
    ("RequestTimeout", code::REQUEST_TIMEOUT),
    ("PayloadTooLarge", code::PAYLOAD_TOO_LARGE),
    ("UnsupportedMediaType", code::UNSUPPORTED_MEDIA_TYPE),
    ("RateLimited", code::RATE_LIMITED),
    ("InternalError", code::INTERNAL_ERROR),
    ("Unavailable", code::UNAVAILABLE),
    ("Timeout", code::TIMEOUT),
];

/// Codes by their status.
#[derive(Default)]
pub(super) struct Refusals(BTreeMap<u16, Vec<Code>>);

impl Refusals {
    pub(super) fn add(&mut self, codes: &[Code]) {
        for code in codes {
            let of_status = self.0.entry(code.status.as_u16()).or_default();
            if !of_status.contains(code) {
                of_status.push(*code);
            }
        }
    }

    pub(super) fn write(self, responses: &mut Map<String, Value>, has_key: bool) {
        for (status, codes) in self.0 {
            let shared = SHARED.iter().find(|(_, code)| codes == [*code]);
            let response = match shared {
                Some((name, _)) => json!({"$ref": format!("#/components/responses/{name}")}),
                None => response(&codes, has_key),
            };
            responses.insert(status.to_string(), response);
        }
    }
}

/// The components that calls refer to.
pub(super) fn shared() -> Value {
    SHARED.iter().map(|(name, code)| ((*name).to_owned(), response(&[*code], true))).collect::<Map<_, _>>().into()
}

fn response(codes: &[Code], has_key: bool) -> Value {
    let lines: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.name, code.meaning)).collect();
    let names: Vec<&str> = codes.iter().map(|code| code.name).collect();
    let mut own = Vec::new();
    if [code::RATE_LIMITED, code::UNAVAILABLE].iter().any(|code| codes.contains(code)) {
        own.push("Retry-After");
    }
    if codes.contains(&code::UNAUTHORIZED) {
        own.push("WWW-Authenticate");
    }
    json!({
        "description": lines.join("\n\n"),
        "x-codes": names,
        "headers": headers(&own, has_key),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    })
}

/// The headers of an answer: these, and those that every answer has.
pub(super) fn headers(own: &[&str], has_key: bool) -> Value {
    let of_keys: &[&str] = if has_key { &["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"] } else { &[] };
    let names = own.iter().chain(&["X-Request-Id"]).chain(of_keys);
    let reference = |name: &&str| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    names.map(reference).collect::<Map<_, _>>().into()
}

/// The schema of every error.
pub(super) fn schema() -> Value {
    let mut names: Vec<&str> = code::ALL.iter().map(|code| code.name).collect();
    names.sort_unstable();
    names.dedup();
    json!({
        "type": "object",
        "description": "Why a call was not carried out.",
        "required": ["error", "code"],
        "properties": {
            "error": {"type": "string", "description": "A sentence for people."},
            "code": {"type": "string", "enum": names},
            "details": {
                "type": "object",
                "description": "What the sentence says, for machines.",
                "properties": {
                    "field": {"type": "string", "description": "What was refused, such as `results[3].status`."},
                    "current_status": {"type": "string"},
                    "required_scope": {"type": "string"},
                    "scope": {"type": "string"},
                    "limit_bytes": {"type": "integer"},
                },
            },
        },
    })
}
