//! Deliveries go out: claimed, recorded, repeated.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Admission, StoreError, Watch};
use crate::{
    attempt::{Message, Outcome},
    delivery::{Claimed, Delivery, DeliveryStatus, Lease},
    health::Patience,
    id::{DeliveryId, EventId, LeaseToken, OrganizationId, WebhookId},
    retry::NextStep,
    timing::Timing,
};

/// The queue of deliveries.
#[async_trait]
pub trait DeliveryQueue: Send + Sync {
    /// Claims deliveries that are due at `now` and admitted, one lease each, and records each one's attempt as started.
    ///
    /// It asks for the oldest first. If some of them are not admitted, it goes on by turns: from organization to organization, from
    /// webhook to webhook, a few deliveries of each, and where the call before stopped. So whoever waits for a place holds up nobody
    /// else for long, however much of it is due; a call looks at a bounded number of deliveries.
    ///
    /// A delivery whose lease has ended is due again; the attempt that nobody finished stays in the history as interrupted. A test
    /// delivery in that situation has failed: tests are not repeated. No delivery is ever claimed by two callers at once.
    async fn claim_due(&self, now: Timestamp, places: Arc<dyn Admission>) -> Result<Vec<Claimed>, StoreError>;

    /// Records how an attempt ended and moves its delivery on: one transaction.
    ///
    /// The webhook's health follows (tests leave it alone). An attempt that [disables](Patience::verdict) its webhook cancels the
    /// other deliveries of it, which are missed, and if it is an agent's and was enabled, the organization's webhook is told by a
    /// delivery of its own, if there is one that is enabled: all in the same transaction.
    /// A delivery that was canceled meanwhile stays canceled unless the receiver took it: a success is never forgotten.
    async fn record(&self, record: AttemptRecord) -> Result<(), RecordError>;

    /// Rings when another process left a delivery that is due to whoever has a place for it. A ring may get lost with the process that
    /// would have rung: whoever claims also looks from time to time.
    async fn watch_work(&self) -> Result<Box<dyn Watch>, StoreError>;

    /// When the next delivery is due; the past if one already is. `None` if nothing is pending.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Writes a test delivery to a webhook, enabled or not, claimed by the caller.
    async fn enqueue_test(&self, test: TestDelivery) -> Result<Option<Claimed>, StoreError>;

    /// Writes a new delivery of the event of an old one, linked to it. The old one stays as it is, whatever its status. A test stays
    /// a test: one attempt, to a webhook that is enabled or not.
    /// Under the id of one that was written so before, it answers that one, unclaimed.
    async fn redeliver(&self, redelivery: Redelivery) -> Result<Enqueued, RedeliverError>;

    /// Ends a pending delivery as canceled. An attempt that is under way is still recorded, and a success is not forgotten: see
    /// [`Self::record`].
    async fn cancel_delivery(
        &self,
        organization: OrganizationId,
        id: DeliveryId,
        at: Timestamp,
    ) -> Result<Delivery, CancelDeliveryError>;
}

/// The end of an attempt.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct AttemptRecord {
    pub delivery_id: DeliveryId,
    pub number: u32,
    pub lease: LeaseToken,
    pub ended_at: Timestamp,
    /// From a clock that never jumps, in milliseconds.
    pub duration_ms: u64,
    pub timing: Timing,
    pub outcome: Outcome,
    pub request: Option<Message>,
    pub response: Option<Message>,
    pub next: NextStep,
    /// Used if the attempt disables its webhook.
    pub disabling: Disabling,
}

/// When a webhook is given up, and what its organization is told with then.
#[derive(Debug, Clone)]
pub struct Disabling {
    /// How long it may fail; without it nothing but a receiver that is gone disables it.
    pub patience: Option<Patience>,
    /// The event's id.
    pub event_id: EventId,
    /// The id of the delivery to the organization's webhook.
    pub delivery_id: DeliveryId,
    /// The base under which people reach the pages, without a slash at its end.
    pub public_url: Arc<str>,
}

/// Why an attempt was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The lease ended and the delivery belongs to somebody else: what came of it is theirs to say.
    #[error("the lease was lost")]
    LeaseLost,
    /// The store failed; the attempt may or may not be recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A test delivery to be written.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct TestDelivery {
    pub organization_id: OrganizationId,
    pub webhook_id: WebhookId,
    pub event_id: EventId,
    pub delivery_id: DeliveryId,
    pub lease: Lease,
    pub at: Timestamp,
}

/// A repetition to be written.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct Redelivery {
    pub organization_id: OrganizationId,
    pub of: DeliveryId,
    pub delivery_id: DeliveryId,
    /// If it is admitted, the caller makes its attempt itself; otherwise it is due at once for anybody.
    pub places: Arc<dyn Admission>,
    pub at: Timestamp,
}

/// A delivery that was just written.
#[derive(Debug, Clone)]
pub struct Enqueued {
    /// It, as the history shows it.
    pub delivery: Delivery,
    /// The right to send it, if it was admitted.
    pub claimed: Option<Claimed>,
}

/// Why nothing was repeated.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum RedeliverError {
    #[error("no such delivery")]
    NotFound,
    #[error("its webhook was deleted")]
    WebhookDeleted,
    #[error("its webhook is disabled")]
    WebhookDisabled,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a delivery was not canceled.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum CancelDeliveryError {
    #[error("no such delivery")]
    NotFound,
    #[error("the delivery is already {}", .0.as_str())]
    AlreadyEnded(DeliveryStatus),
    #[error(transparent)]
    Store(#[from] StoreError),
}
