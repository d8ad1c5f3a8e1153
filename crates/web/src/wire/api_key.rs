//! API keys on the wire. Their text is not, but for the one answer that creates it.

use jiff::Timestamp;
use preclinical_core::{api_key::ApiKey, id::ApiKeyId, scope::Scope, wire_time};
use schemars::JsonSchema;
use serde::Serialize;

use crate::openapi::{Choice, DateTime, Uuid};

/// An API key without its text.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ApiKey")]
pub(crate) struct ApiKeyView<'a> {
    #[schemars(with = "Uuid")]
    id: ApiKeyId,
    name: &'a str,
    #[schemars(with = "Choice<Scope>")]
    scope: &'static str,
    prefix: &'a str,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schemars(with = "DateTime")]
    created_at: Timestamp,
    #[serde(serialize_with = "wire_time::serialize_option")]
    #[schemars(with = "Option<DateTime>")]
    expires_at: Option<Timestamp>,
    #[serde(serialize_with = "wire_time::serialize_option")]
    #[schemars(with = "Option<DateTime>")]
    last_used_at: Option<Timestamp>,
    #[serde(serialize_with = "wire_time::serialize_option")]
    #[schemars(with = "Option<DateTime>")]
    revoked_at: Option<Timestamp>,
}

impl<'a> From<&'a ApiKey> for ApiKeyView<'a> {
    fn from(key: &'a ApiKey) -> Self {
        Self {
            id: key.id,
            name: &key.name,
            scope: key.scope.as_str(),
            prefix: &key.prefix,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
        }
    }
}
