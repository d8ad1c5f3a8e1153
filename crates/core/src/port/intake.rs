//! Runs come in: created, reported on, finished.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Admission, StoreError};
use crate::{
    delivery::Claimed,
    id::{AgentId, DeliveryId, EventId, OrganizationId, RunId, TestSuiteId},
    run::{FinalStatus, Run, RunRef, RunStatus},
    scenario::ScenarioResult,
};

/// The ledger of runs.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Creates a run with the next number of its organization. Numbers have no gaps, however many calls race. Under the id of
    /// one that the organization has, it answers that one.
    async fn create_run(&self, run: NewRun) -> Result<Run, CreateRunError>;

    /// Adds scenario results to a run that is not final: all of them or none.
    ///
    /// It takes as many as were planned, [`MAX_SCENARIOS`](crate::scenario::MAX_SCENARIOS) if nothing was.
    /// A result that is already there with the same contents is left alone, also when the run is final by now. The run's counts
    /// follow its results. When all planned scenarios are in, the run completes in the same transaction, as by [`Self::finish_run`].
    async fn report_results(&self, report: Report) -> Result<Finished, ReportError>;

    /// Makes a run final, freezes its counts, writes its event, chooses its webhook and writes the delivery: one transaction.
    ///
    /// However many calls race for a run, one succeeds and one event is written; the others learn the final status. Repeated under
    /// the same event id, it answers the run that it ended. If
    /// `dispatch` admits the delivery, it comes back claimed, its first attempt recorded as started.
    ///
    /// If the webhook in force is one that we disabled, and not its owner, the delivery is written as canceled: it is missed, and can be
    /// replayed when the webhook is enabled again.
    async fn finish_run(&self, finish: Finish) -> Result<Finished, FinishError>;
}

/// A run to be created.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are those of the run")]
pub struct NewRun {
    pub id: RunId,
    pub organization_id: OrganizationId,
    pub agent_id: AgentId,
    pub test_suite_id: Option<TestSuiteId>,
    /// The agent's name and "test run" if missing.
    pub name: Option<String>,
    /// How many scenarios will be reported, if that is known; the run completes by itself when they are in.
    pub planned: Option<u32>,
    /// Missing for a run that waits to begin.
    pub started_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// Results for a run.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct Report {
    pub organization_id: OrganizationId,
    pub run: RunRef,
    pub results: Vec<ScenarioResult>,
    pub at: Timestamp,
    /// Used if these results complete the run.
    pub dispatch: Dispatch,
}

/// The end of a run.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct Finish {
    pub organization_id: OrganizationId,
    pub run: RunRef,
    pub to: FinalStatus,
    /// The runner's own counts, for a run without scenario results.
    pub counts: Option<ReportedCounts>,
    pub at: Timestamp,
    pub dispatch: Dispatch,
}

/// Counts from a runner that reports no scenarios. A missing total is the sum of the counts, or what was planned if that is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the fields are the documented ones of the API")]
pub struct ReportedCounts {
    pub passed: u32,
    pub failed: u32,
    pub error: u32,
    pub total: Option<u32>,
}

/// What the event and delivery of a run that becomes final are made of.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// The event's id.
    pub event_id: EventId,
    /// The delivery's id.
    pub delivery_id: DeliveryId,
    /// If the delivery is admitted, the caller makes the first attempt itself; otherwise it is due at once for anybody.
    pub places: Arc<dyn Admission>,
    /// The base under which people reach the pages, without a slash at its end.
    pub public_url: String,
}

/// A run after a report or its end.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The run as it is now.
    pub run: Run,
    /// What became of its delivery.
    pub fate: Fate,
}

/// What a change to a run means for its delivery.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "the large variant is the usual one")]
pub enum Fate {
    /// The run did not become final by this call.
    NotFinal,
    /// It did, and no webhook hears of it.
    NoWebhook,
    /// Its delivery waits for anybody to claim it.
    Due,
    /// Its delivery is the caller's to send, now.
    Claimed(Claimed),
}

/// Why no run was created.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum CreateRunError {
    #[error("no such agent")]
    AgentNotFound,
    #[error("no such test suite")]
    TestSuiteNotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why results were not taken. Indexes count from 0 in the report.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ReportError {
    #[error("no such run")]
    RunNotFound,
    #[error("the run is already {}", .0.as_str())]
    AlreadyFinal(RunStatus),
    #[error("result {index} names a scenario that was reported with other contents")]
    Conflicting { index: usize },
    #[error("more than the run's {most} scenarios")]
    TooMany { most: u32 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a run did not end.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum FinishError {
    #[error("no such run")]
    RunNotFound,
    #[error("the run is already {}", .0.as_str())]
    AlreadyFinal(RunStatus),
    #[error("the run has scenario results, its counts follow from them")]
    CountsNotWanted,
    #[error("{judged} scenarios with a verdict are more than the total of {total}")]
    CountsExceedTotal { judged: u64, total: u32 },
    #[error(transparent)]
    Store(#[from] StoreError),
}
