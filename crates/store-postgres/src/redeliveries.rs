//! [`Redeliveries`] on PostgreSQL.
//!
//! What a job repeats is not copied anywhere: it is what its selection finds among what had ended by the job's creation, and that
//! never changes. Looking for it is left to the readers, however long it takes; a writing step is a handful of rows, and the lock on
//! the job's row lets one step be taken at a time.

pub(crate) mod jobs;
mod looking;
mod missed;
mod originals;
pub(crate) mod recovered;
mod taking;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    id::{DeliveryId, OrganizationId, RedeliveryJobId},
    port::{CancelJobError, JobNext, JobStep, NewRedeliveryJob, Page, Redeliveries, RunningJob, StoreError},
    redelivery::{RedeliveryJob, RedeliverySelection},
};

use self::{looking::View, originals::Frozen, recovered::Owed};
use crate::{
    PostgresStore,
    failure::unavailable,
    transaction::{Transaction, Turn},
};

#[async_trait]
impl Redeliveries for PostgresStore {
    async fn count_redeliveries(
        &self,
        organization: OrganizationId,
        selection: RedeliverySelection,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let frozen = &Frozen { organization, selection, at };
        self.read(|transaction| Box::pin(async move { originals::count(&transaction, frozen).await })).await
    }

    async fn create_redelivery_job(&self, job: NewRedeliveryJob) -> Result<RedeliveryJob, StoreError> {
        let total = self.count_redeliveries(job.organization_id, job.selection, job.at).await?;
        let new = &job;
        self.write(Turn::Free, |transaction| {
            Box::pin(async move { jobs::create(&transaction, new, total).await.map_err(unavailable) })
        })
        .await
    }

    async fn replay_recovered(&self, ids: Vec<RedeliveryJobId>, at: Timestamp) -> Result<Vec<RedeliveryJob>, StoreError> {
        let limit = ids.len();
        let owed = self.read(|transaction| Box::pin(async move { recovered::some(&transaction, limit, at).await })).await?;
        let (mut created, mut failed) = (Vec::new(), None);
        for (owed, id) in owed.iter().zip(ids) {
            match self.replay(owed, id, at).await {
                Ok(job) => created.extend(job),
                // One that cannot be replayed holds up no other.
                Err(error) => failed = Some(error),
            }
        }
        failed.filter(|_| created.is_empty()).map_or(Ok(created), Err)
    }

    async fn redelivery_job(
        &self,
        organization: OrganizationId,
        id: RedeliveryJobId,
    ) -> Result<Option<RedeliveryJob>, StoreError> {
        self.read(|transaction| Box::pin(async move { jobs::find(&transaction, organization, id).await })).await
    }

    async fn redelivery_jobs(
        &self,
        organization: OrganizationId,
        page: Page,
    ) -> Result<(Vec<RedeliveryJob>, u64), StoreError> {
        self.read(|transaction| Box::pin(async move { jobs::list(&transaction, organization, page).await })).await
    }

    async fn cancel_redelivery_job(
        &self,
        organization: OrganizationId,
        id: RedeliveryJobId,
        at: Timestamp,
    ) -> Result<RedeliveryJob, CancelJobError> {
        self.write(Turn::Free, |transaction| Box::pin(async move { jobs::cancel(&transaction, organization, id, at).await }))
            .await
    }

    async fn running_redelivery_jobs(
        &self,
        after: Option<RedeliveryJobId>,
        limit: u32,
    ) -> Result<Vec<RunningJob>, StoreError> {
        self.read(|transaction| Box::pin(async move { jobs::running(&transaction, after, limit).await })).await
    }

    async fn advance_redelivery_job(
        &self,
        id: RedeliveryJobId,
        mut deliveries: Vec<DeliveryId>,
        at: Timestamp,
    ) -> Result<JobStep, StoreError> {
        // Those of a step are due at the same time: the order of their ids is that in which they are claimed.
        deliveries.sort_unstable();
        let ids = deliveries.len();
        match self.read(|transaction| Box::pin(async move { looking::ahead(&transaction, id, ids).await })).await? {
            View::Ended => Ok(JobStep { enqueued: 0, next: JobNext::Ended }),
            View::Full => Ok(JobStep { enqueued: 0, next: JobNext::Wait }),
            View::Ahead(ahead) => {
                let (ahead, deliveries) = (&ahead, &deliveries);
                self.write(Turn::Beside(ahead.organization), |transaction| {
                    Box::pin(async move { taking::take(&transaction, id, ahead, deliveries, at).await.map_err(unavailable) })
                })
                .await
            }
        }
    }
}

impl PostgresStore {
    /// Creates the job that is owed, if it still is when it is its turn.
    async fn replay(&self, owed: &Owed, id: RedeliveryJobId, at: Timestamp) -> Result<Option<RedeliveryJob>, StoreError> {
        let total = self.read(|transaction| Box::pin(async move { owed.count(&transaction, at).await })).await?;
        let create = async |transaction: Transaction| match recovered::still(&transaction, owed, at).await? {
            Some(owed) => jobs::create(&transaction, &owed.job(id, at), total).await.map(Some),
            None => Ok(None),
        };
        let create = &create;
        self.write(Turn::Free, |transaction| Box::pin(async move { create(transaction).await.map_err(unavailable) })).await
    }
}
