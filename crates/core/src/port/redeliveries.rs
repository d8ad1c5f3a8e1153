//! Many deliveries are repeated by one order.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Page, StoreError};
use crate::{
    id::{DeliveryId, OrganizationId, RedeliveryJobId},
    redelivery::{JobStatus, RedeliveryJob, RedeliverySelection},
};

/// Bulk redeliveries. A job is a row, so it goes on after a restart.
#[async_trait]
pub trait Redeliveries: Send + Sync {
    /// How many deliveries a job of that selection would repeat if it were created at that time. Nothing is written.
    async fn count_redeliveries(
        &self,
        organization: OrganizationId,
        selection: RedeliverySelection,
        at: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Creates a job. What it repeats is fixed here: what ends later, or is written later, never joins. A job of nothing is
    /// completed at once. Under the id of a job that there is nothing is created, and that one is answered.
    ///
    /// A job that replays what a webhook missed takes it over: the webhook has [missed](crate::health::Health::missed_since) nothing any
    /// more, but what ended after the job's creation.
    async fn create_redelivery_job(&self, job: NewRedeliveryJob) -> Result<RedeliveryJob, StoreError>;

    /// Creates the jobs that webhooks are owed by [`replay_on_recovery`](crate::webhook::Webhook::replay_on_recovery), as an order by
    /// hand would, under the given ids and as many at most: answers those that it created. Of callers who race one creates the job of a
    /// webhook.
    ///
    /// Owed is one by a webhook that is enabled, is in no streak of failures, and has taken something after the last delivery that it
    /// missed. Not while another replay of what it missed runs; after one that somebody stopped, only when something else was missed; and
    /// after one that found the webhook disabled, only when the webhook has taken something since.
    async fn replay_recovered(&self, jobs: Vec<RedeliveryJobId>, at: Timestamp) -> Result<Vec<RedeliveryJob>, StoreError>;

    /// The job of that id.
    async fn redelivery_job(
        &self,
        organization: OrganizationId,
        id: RedeliveryJobId,
    ) -> Result<Option<RedeliveryJob>, StoreError>;

    /// A page of the jobs, newest first, and how many there are in all.
    async fn redelivery_jobs(
        &self,
        organization: OrganizationId,
        page: Page,
    ) -> Result<(Vec<RedeliveryJob>, u64), StoreError>;

    /// Stops a running job. Deliveries that it wrote go on.
    async fn cancel_redelivery_job(
        &self,
        organization: OrganizationId,
        id: RedeliveryJobId,
        at: Timestamp,
    ) -> Result<RedeliveryJob, CancelJobError>;

    /// Running jobs of all organizations behind that id, in the order of their ids.
    async fn running_redelivery_jobs(
        &self,
        after: Option<RedeliveryJobId>,
        limit: u32,
    ) -> Result<Vec<RunningJob>, StoreError>;

    /// Takes a running job a step further, oldest first: writes new deliveries under the given ids, due at `at`, and skips what can no
    /// longer be sent. One transaction with the note how far it came, so no delivery is repeated twice by a job.
    ///
    /// At most [`MAX_PENDING_OF_JOB`](crate::redelivery::MAX_PENDING_OF_JOB) deliveries of a job are pending after it.
    async fn advance_redelivery_job(
        &self,
        id: RedeliveryJobId,
        deliveries: Vec<DeliveryId>,
        at: Timestamp,
    ) -> Result<JobStep, StoreError>;
}

/// A job to be created.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the fields are those of the job")]
pub struct NewRedeliveryJob {
    pub id: RedeliveryJobId,
    pub organization_id: OrganizationId,
    pub selection: RedeliverySelection,
    pub at: Timestamp,
}

/// A job that has deliveries to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningJob {
    /// Which one.
    pub id: RedeliveryJobId,
    /// How many of its deliveries are pending.
    pub pending: u32,
}

/// What a step of a job did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobStep {
    /// Deliveries that it wrote.
    pub enqueued: u32,
    /// What comes next.
    pub next: JobNext,
}

/// What comes after a step of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobNext {
    /// There may be more to do at once.
    Continue,
    /// As many as may be are pending; when one of them ends it goes on.
    Wait,
    /// Nothing: it is completed, canceled or unknown.
    Ended,
}

/// Why a job was not canceled.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum CancelJobError {
    #[error("no such bulk redelivery")]
    NotFound,
    #[error("the bulk redelivery is already {}", .0.as_str())]
    AlreadyEnded(JobStatus),
    #[error(transparent)]
    Store(#[from] StoreError),
}
