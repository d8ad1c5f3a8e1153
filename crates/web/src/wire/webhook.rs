//! Webhooks on the wire. Their secret is not.

use jiff::Timestamp;
use preclinical_core::{
    id::{AgentId, WebhookId},
    webhook::Webhook,
    wire_time,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::openapi::{DateTime, Uuid};

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
}

impl<'a> From<&'a Webhook> for WebhookView<'a> {
    fn from(webhook: &'a Webhook) -> Self {
        Self {
            id: webhook.id,
            url: &webhook.url,
            description: webhook.description.as_deref(),
            agent_id: webhook.agent_id,
            is_enabled: webhook.is_enabled,
            last_triggered_at: webhook.last_triggered_at,
            consecutive_failures: webhook.consecutive_failures,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}
