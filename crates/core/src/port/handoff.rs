//! The way from those who write a delivery to the engine that sends it, without either knowing the other.

use std::{future::Future, pin::Pin, sync::Arc};

use super::Admission;
use crate::{
    attempt::AttemptError,
    delivery::{Claimed, Lease},
    id::{OrganizationId, WebhookId},
};

/// The delivery engine as the intake sees it.
pub trait Handoff: Send + Sync {
    /// A place to send a delivery at once, if its webhook may have one when it is known. A delivery that got none is due at once,
    /// and is claimed as soon as it may have a place.
    fn offer(&self) -> Arc<dyn Offer>;

    /// A place for a test delivery, whose outcome somebody waits for; also where other processes send what is due. `None` if all
    /// are taken, if that webhook has enough under way, or if the engine is shutting down.
    fn reserve_for_test(&self, organization: OrganizationId, webhook: WebhookId) -> Option<Box<dyn Reservation>>;

    /// Says that a delivery became due without a place.
    fn wake(&self);

    /// Says that a bulk redelivery was created.
    fn wake_redeliveries(&self);
}

/// A place that is not held before somebody is admitted to it.
pub trait Offer: Admission {
    /// Makes the attempt now, in the background, under a lease of this offer. The future tells how it ended and may be dropped.
    fn send(&self, claimed: Claimed) -> Sent;
}

/// A place in the engine. Dropping it gives the place back.
pub trait Reservation: Send {
    /// The lease under which the delivery must be written.
    fn lease(&self) -> Lease;

    /// Makes the attempt now, in the background. The future tells how it ended and may be dropped.
    fn send(self: Box<Self>, claimed: Claimed) -> Sent;
}

/// Resolves when the attempt is recorded; to `None` if it could not be.
pub type Sent = Pin<Box<dyn Future<Output = Option<AttemptSummary>> + Send>>;

/// How an attempt ended, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptSummary {
    /// Whether the receiver took it.
    pub delivered: bool,
    /// The status it answered with, if it answered.
    pub http_status: Option<u16>,
    /// Why there was no answer, if there was none.
    pub error: Option<AttemptError>,
}
