//! [`Redeliveries`] on SQLite.
//!
//! What a job repeats is not copied anywhere: it is what its selection finds among what had ended by the job's creation, and that
//! never changes. Looking for it is left to the readers, however long it takes; a writing step is a handful of rows.

mod jobs;
mod looking;
mod missed;
mod originals;
mod recovered;
mod taking;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    id::{DeliveryId, OrganizationId, RedeliveryJobId},
    port::{CancelJobError, JobNext, JobStep, NewRedeliveryJob, Page, Redeliveries, RunningJob, StoreError},
    redelivery::{RedeliveryJob, RedeliverySelection},
};

use self::{looking::View, originals::Frozen, recovered::Owed};
use crate::{SqliteStore, row::unavailable};

#[async_trait]
impl Redeliveries for SqliteStore {
    async fn count_redeliveries(
        &self,
        organization: OrganizationId,
        selection: RedeliverySelection,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let frozen = Frozen { organization, selection, at };
        self.read(move |connection| originals::count(connection, &frozen).map_err(unavailable)).await
    }

    async fn create_redelivery_job(&self, job: NewRedeliveryJob) -> Result<RedeliveryJob, StoreError> {
        let total = self.count_redeliveries(job.organization_id, job.selection, job.at).await?;
        self.write(move |connection| jobs::create(connection, &job, total).map_err(unavailable)).await
    }

    async fn replay_recovered(&self, ids: Vec<RedeliveryJobId>, at: Timestamp) -> Result<Vec<RedeliveryJob>, StoreError> {
        let limit = ids.len();
        let owed = self
            .read(move |connection| {
                let owed = recovered::some(connection, limit, at).map_err(unavailable)?;
                let counted = |owed: Owed| owed.count(connection, at).map(|total| (owed, total)).map_err(unavailable);
                owed.into_iter().map(counted).collect::<Result<Vec<_>, _>>()
            })
            .await?;
        if owed.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |connection| {
            let create = |((owed, total), id): (&(Owed, u64), &RedeliveryJobId)| {
                // Somebody may have ordered it since, or it fails again.
                let owed = recovered::still(connection, owed, at)?;
                owed.map(|owed| jobs::create(connection, &owed.job(*id, at), *total)).transpose()
            };
            let created = owed.iter().zip(&ids).filter_map(|one| create(one).transpose());
            created.collect::<rusqlite::Result<_>>().map_err(unavailable)
        })
        .await
    }

    async fn redelivery_job(
        &self,
        organization: OrganizationId,
        id: RedeliveryJobId,
    ) -> Result<Option<RedeliveryJob>, StoreError> {
        self.read(move |connection| jobs::find(connection, organization, id).map_err(unavailable)).await
    }

    async fn redelivery_jobs(
        &self,
        organization: OrganizationId,
        page: Page,
    ) -> Result<(Vec<RedeliveryJob>, u64), StoreError> {
        self.read(move |connection| jobs::list(connection, organization, page).map_err(unavailable)).await
    }

    async fn cancel_redelivery_job(
        &self,
        organization: OrganizationId,
        id: RedeliveryJobId,
        at: Timestamp,
    ) -> Result<RedeliveryJob, CancelJobError> {
        self.write(move |connection| jobs::cancel(connection, organization, id, at)).await
    }

    async fn running_redelivery_jobs(
        &self,
        after: Option<RedeliveryJobId>,
        limit: u32,
    ) -> Result<Vec<RunningJob>, StoreError> {
        self.read(move |connection| jobs::running(connection, after, limit).map_err(unavailable)).await
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
        match self.read(move |connection| looking::ahead(connection, id, ids).map_err(unavailable)).await? {
            View::Ended => Ok(JobStep { enqueued: 0, next: JobNext::Ended }),
            View::Full => Ok(JobStep { enqueued: 0, next: JobNext::Wait }),
            View::Ahead(ahead) => {
                self.write(move |connection| taking::take(connection, id, &ahead, &deliveries, at).map_err(unavailable))
                    .await
            }
        }
    }
}
