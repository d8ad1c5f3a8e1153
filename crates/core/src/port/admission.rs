//! Who may be sent to now: a store asks while it writes, the engine answers.
//!
//! A store knows what is due, the engine how much of it is under way and to whom. Neither has to know what the other does: the
//! store asks for each delivery that it could claim, inside its transaction, and gets a lease or a reason to go on elsewhere.

use std::fmt::Debug;

use jiff::Timestamp;

use crate::{
    delivery::Lease,
    id::{DeliveryId, LeaseToken, OrganizationId, WebhookId},
};

/// A delivery that could be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applicant {
    /// Which.
    pub delivery: DeliveryId,
    /// Whose.
    pub organization: OrganizationId,
    /// Where it goes.
    pub webhook: WebhookId,
    /// What is known of its receiver.
    pub standing: Standing,
}

/// What the last attempt for a webhook said of its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// None was made since it was written or enabled.
    Untried,
    /// It answered 2xx.
    Proven,
    /// It failed.
    Failing,
}

impl Standing {
    /// Judged by a webhook's health. One that failed and was enabled again has to prove itself anew.
    pub fn of(last_triggered_at: Option<Timestamp>, last_success_at: Option<Timestamp>, consecutive_failures: u32) -> Self {
        match (last_success_at, consecutive_failures) {
            (_, 1..) => Self::Failing,
            (Some(_), 0) if last_success_at >= last_triggered_at => Self::Proven,
            (_, 0) => Self::Untried,
        }
    }
}

/// The answer to one applicant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// It may be sent, under this lease.
    Granted(Lease),
    /// Nothing more to its webhook now.
    NotThisWebhook,
    /// Nothing more of its organization now.
    NotThisOrganization,
    /// Nothing more at all.
    Full,
}

/// Places in the engine, on offer to one call of a store. Those that were granted and not used are given back when it is dropped.
pub trait Admission: Debug + Send + Sync {
    /// How many can be granted at most.
    fn room(&self) -> usize;

    /// Asks for a place. Asked again for the same delivery, as by a transaction that is tried again, it answers the same lease.
    fn admit(&self, applicant: &Applicant) -> Admitted;

    /// The leases that were granted.
    fn granted(&self) -> Vec<LeaseToken>;
}

/// No place for anybody: what is written stays due.
#[derive(Debug, Clone, Copy)]
pub struct NoPlaces;

impl Admission for NoPlaces {
    fn room(&self) -> usize {
        0
    }

    fn admit(&self, _: &Applicant) -> Admitted {
        Admitted::Full
    }

    fn granted(&self) -> Vec<LeaseToken> {
        Vec::new()
    }
}
