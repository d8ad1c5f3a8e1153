//! Webhooks on the wire. Their secret and the values of their custom headers are not.

use std::collections::BTreeMap;

use jiff::Timestamp;
use preclinical_core::{
    custom_header::MASK,
    health::HealthStatus,
    id::{AgentId, WebhookId},
    replay_on_recovery::ReplayOnRecovery,
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
    /// Why it is not, if the server did that: `gone` after `410 Gone`, `failing` when it did nothing but fail for too long.
    #[schemars(with = "Option<Choice<DisabledReason>>")]
    disabled_reason: Option<&'static str>,
    #[serde(serialize_with = "wire_time::serialize_option")]
    #[schemars(with = "Option<DateTime>")]
    last_triggered_at: Option<Timestamp>,
    consecutive_failures: u32,
    health: HealthView,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schemars(with = "DateTime")]
    created_at: Timestamp,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schemars(with = "DateTime")]
    updated_at: Timestamp,
    /// Its custom headers, each with `••••••` in place of its value, which is never shown.
    #[schemars(with = "BTreeMap<String, String>")]
    headers: Map<String, Value>,
    /// What of that which it missed is replayed by itself once its receiver takes something again.
    #[schemars(with = "Choice<ReplayOnRecovery>")]
    replay_on_recovery: &'static str,
}

/// How a webhook is doing. Tests never count. A streak is what came after the last success, or after the webhook was enabled again.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WebhookHealth")]
struct HealthView {
    /// `failing` after three failed attempts in a row, or once a delivery of the streak has failed for good.
    #[schemars(with = "Choice<HealthStatus>")]
    status: &'static str,
    #[serde(serialize_with = "wire_time::serialize_option")]
    #[schemars(with = "Option<DateTime>")]
    last_success_at: Option<Timestamp>,
    /// When the first failed attempt of the streak ended.
    #[serde(serialize_with = "wire_time::serialize_option")]
    #[schemars(with = "Option<DateTime>")]
    failing_since: Option<Timestamp>,
    /// Failed attempts of the streak.
    consecutive_failures: u32,
    /// Deliveries of the streak that failed for good.
    exhausted_deliveries: u32,
    /// From when on deliveries were missed that nobody has replayed.
    #[serde(serialize_with = "wire_time::serialize_option")]
    #[schemars(with = "Option<DateTime>")]
    missed_since: Option<Timestamp>,
}

impl From<&Webhook> for HealthView {
    fn from(webhook: &Webhook) -> Self {
        let health = &webhook.health;
        Self {
            status: HealthStatus::of(webhook).as_str(),
            last_success_at: health.last_success_at,
            failing_since: health.failing_since,
            consecutive_failures: health.consecutive_failures,
            exhausted_deliveries: health.exhausted_deliveries,
            missed_since: health.missed_since,
        }
    }
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
            last_triggered_at: webhook.health.last_triggered_at,
            consecutive_failures: webhook.health.consecutive_failures,
            health: HealthView::from(webhook),
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
            headers: webhook.header_names.iter().map(|name| (name.as_str().to_owned(), MASK.into())).collect(),
            replay_on_recovery: webhook.replay_on_recovery.as_str(),
        }
    }
}
