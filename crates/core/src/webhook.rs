//! Webhooks: where an organization, or one of its agents, wants to be told.

use jiff::Timestamp;

use crate::{
    id::{AgentId, OrganizationId, WebhookId},
    secret::SigningSecret,
};

/// Why a webhook was disabled by us and not by its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledReason {
    /// Its receiver answered `410 Gone`.
    Gone,
}

impl DisabledReason {
    /// The reason in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
        }
    }
}

/// A webhook. One at organization level (`agent_id` is `None`), one per agent.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are the documented ones of the API")]
pub struct Webhook {
    pub id: WebhookId,
    pub organization_id: OrganizationId,
    pub agent_id: Option<AgentId>,
    pub url: String,
    pub secret: Option<SigningSecret>,
    pub description: Option<String>,
    pub is_enabled: bool,
    pub last_triggered_at: Option<Timestamp>,
    pub consecutive_failures: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Changes to a webhook; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the fields are those of the webhook")]
pub struct WebhookChanges {
    pub url: Option<String>,
    pub secret: Option<Option<SigningSecret>>,
    pub description: Option<Option<String>>,
    pub is_enabled: Option<bool>,
}
