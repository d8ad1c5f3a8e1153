//! Deliveries: one event on its way to one webhook.

use jiff::Timestamp;

use crate::{
    custom_header::CustomHeaders,
    event::{EventContent, EventKind},
    id::{AgentId, DeliveryId, LeaseToken, OrganizationId, RunId, WebhookId},
    run::RunNumber,
    secret::SigningSecret,
};

/// Where a delivery stands. The last three are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryStatus {
    /// An attempt is under way or will be made.
    Pending,
    /// A receiver answered 2xx.
    Delivered,
    /// All attempts failed, or the receiver is gone.
    Failed,
    /// Somebody canceled it, or its webhook was disabled or deleted first.
    Canceled,
}

impl DeliveryStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Delivered, Self::Failed, Self::Canceled];

    /// The status on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// The status of that name; `None` for every other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// The right to make one attempt, and to record it, until a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Its proof.
    pub token: LeaseToken,
    /// When somebody else may take the delivery over.
    pub until: Timestamp,
}

/// A delivery whose next attempt is ours to make and is already recorded as started.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Which delivery.
    pub delivery_id: DeliveryId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Where it goes.
    pub webhook_id: WebhookId,
    /// The number of the attempt to make, from 1.
    pub attempt: u32,
    /// Attempts before this one that ended in failure. One that was cut off by a crash is not among them: nobody knows its end.
    pub failures: u32,
    /// The lease that covers the attempt.
    pub lease: Lease,
    /// The webhook's URL as it is now.
    pub url: String,
    /// The webhook's secrets as they are now, the current one first; empty if it has none.
    pub secrets: Vec<SigningSecret>,
    /// The webhook's custom headers as they are now.
    pub headers: CustomHeaders,
    /// What happened.
    pub event: EventKind,
    /// The frozen part of the payload.
    pub content: EventContent,
}

/// A delivery as the history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the documented ones of the API")]
pub struct Delivery {
    pub id: DeliveryId,
    pub event: EventKind,
    pub status: DeliveryStatus,
    pub webhook_id: WebhookId,
    pub agent_id: Option<AgentId>,
    pub run_id: Option<RunId>,
    pub run_number: Option<RunNumber>,
    pub url: String,
    pub attempt_count: u32,
    pub http_status: Option<u16>,
    pub duration_ms: Option<u64>,
    pub next_attempt_at: Option<Timestamp>,
    pub redelivery_of: Option<DeliveryId>,
    pub created_at: Timestamp,
    pub completed_at: Option<Timestamp>,
}
