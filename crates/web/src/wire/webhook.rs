//! Webhooks on the wire. Their secret and the values of their custom headers are not.

use std::collections::BTreeMap;

use jiff::Timestamp;
use preclinical_core::{
    custom_header::MASK,
    id::{AgentId, WebhookId},
    webhook::{DisabledReason, Webhook},
    wire_time,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::openapi::{Choice, DateTime, Uuid};

/// Where to send when a run ends. The secret is never shown.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Webhook")]
pub(crate) struct WebhookView<'a> {
    #[schemars(with = "Uuid")]
    id: WebhookId,
    url: &'a str,
    description: Option<&'a str>,
    #[schemars(with = "Option<Uuid>")]
    agent_id: Option<AgentId>,
    is_enabled: bool,
    /// Why it is not, if the server did that: `gone` after `410 Gone`.
    #[schemars(with = "Option<Choice<DisabledReason>>")]
    disabled_reason: Option<&'static str>,
    #[serde(serialize_with = "wire_time::serialize_option")]
    #[schemars(with = "Option<DateTime>")]
    last_triggered_at: Option<Timestamp>,
    consecutive_failures: u32,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schemars(with = "DateTime")]
    created_at: Timestamp,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schemars(with = "DateTime")]
    updated_at: Timestamp,
    /// Its custom headers, each with `••••••` in place of its value, which is never shown.
    #[schemars(with = "BTreeMap<String, String>")]
    headers: Map<String, Value>,
}

impl<'a> From<&'a Webhook> for WebhookView<'a> {
    fn from(webhook: &'a Webhook) -> Self {
        Self {
            id: webhook.id,
            url: &webhook.url,
            description: webhook.description.as_deref(),
            agent_id: webhook.agent_id,
            is_enabled: webhook.is_enabled,
            disabled_reason: webhook.disabled_reason.map(DisabledReason::as_str),
            last_triggered_at: webhook.last_triggered_at,
            consecutive_failures: webhook.consecutive_failures,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
            headers: webhook.header_names.iter().map(|name| (name.as_str().to_owned(), MASK.into())).collect(),
        }
    }
}
