//! API keys on the wire. Their text is not, but for the one answer that creates it.

use jiff::Timestamp;
use preclinical_core::{api_key::ApiKey, id::ApiKeyId, wire_time};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct ApiKeyView<'a> {
    id: ApiKeyId,
    name: &'a str,
    scope: &'static str,
    prefix: &'a str,
    #[serde(serialize_with = "wire_time::serialize")]
    created_at: Timestamp,
    #[serde(serialize_with = "wire_time::serialize_option")]
    expires_at: Option<Timestamp>,
    #[serde(serialize_with = "wire_time::serialize_option")]
    last_used_at: Option<Timestamp>,
    #[serde(serialize_with = "wire_time::serialize_option")]
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
