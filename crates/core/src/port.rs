//! What the program needs of a store, cut by who needs it.
//!
//! - One method is one transaction is one business fact: either all of it is on disk when the method returns `Ok`, or nothing
//!   of it ever will be. No transaction handle leaves a store, so no HTTP request can happen inside one. The one exception is what
//!   a webhook still has to send when it is disabled or deleted: see [`Administration::update_webhook`].
//! - Ids and times come from the caller. Every list has a limit.
//! - A write that depends on a claim takes its lease, and answers with an error of its own when the lease is lost.
//! - Another organization's row is a missing row.
//! - Every guarantee stated here is proved, for every store, by a test of the conformance suite.

mod access;
mod accounts;
mod administration;
mod admission;
mod changes;
mod every;
mod handoff;
mod history;
mod idempotency;
mod intake;
mod probe;
mod queue;
mod redeliveries;
mod upkeep;

pub use access::{Access, CreateKeyError};
pub use accounts::{AcceptError, Acceptance, Accounts, InviteError, MemberError, SignedIn};
pub use administration::{
    Administration, CreateAgentError, CreateWebhookError, DeleteError, NewAgent, NewWebhook, RevealSecretError,
    UpdateAgentError, UpdateWebhookError,
};
pub use admission::{Admission, Admitted, Applicant, NoPlaces, Standing};
pub use changes::{ChangeNumber, Changes, Progress, Watch};
pub use every::every;
pub use handoff::{AttemptSummary, Handoff, Offer, Reservation, Sent};
pub use history::{DeliveryCursor, DeliveryFilter, DeliveryPage, History, Page, ResultsPage, RunFilter};
pub use idempotency::Idempotency;
pub use intake::{
    CreateRunError, Dispatch, Fate, Finish, FinishError, Finished, Intake, NewRun, Report, ReportError, ReportedCounts,
};
pub use probe::{MAX_PROBE_BYTES, ProbeAnswer, Prober};
pub use queue::{
    AttemptRecord, CancelDeliveryError, DeliveryQueue, Disabling, Enqueued, RecordError, RedeliverError, Redelivery,
    TestDelivery,
};
pub use redeliveries::{CancelJobError, JobNext, JobStep, NewRedeliveryJob, Redeliveries, RunningJob};
pub use upkeep::{BEAT, Upkeep};

/// A store is all roles together; each user asks for the ones it needs.
pub trait Store:
    Intake + DeliveryQueue + Administration + History + Changes + Access + Accounts + Idempotency + Redeliveries + Upkeep
{
}

impl<T> Store for T where
    T: Intake + DeliveryQueue + Administration + History + Changes + Access + Accounts + Idempotency + Redeliveries + Upkeep
{
}

/// The store could not do what was asked; nothing was changed as far as can be known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is locked, full or shutting down: the same call may succeed later.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// It holds something that this program did not write, or refuses what it should write: trying again does not help.
    #[error("the store and this program do not agree: {0}")]
    Corrupt(String),
}
