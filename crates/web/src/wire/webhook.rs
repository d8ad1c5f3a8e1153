//! Webhooks on the wire. Their secret is not.

use jiff::Timestamp;
use preclinical_core::{
    id::{AgentId, WebhookId},
    webhook::Webhook,
    wire_time,
};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct WebhookView<'a> {
    id: WebhookId,
    url: &'a str,
    description: Option<&'a str>,
    agent_id: Option<AgentId>,
    is_enabled: bool,
    #[serde(serialize_with = "wire_time::serialize_option")]
    last_triggered_at: Option<Timestamp>,
    consecutive_failures: u32,
    #[serde(serialize_with = "wire_time::serialize")]
    created_at: Timestamp,
    #[serde(serialize_with = "wire_time::serialize")]
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
