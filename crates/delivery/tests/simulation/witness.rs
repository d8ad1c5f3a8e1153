//! What a node asks of its store and is answered, told to the oracle in the order in which it is carried out.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    delivery::{Claimed, Delivery},
    id::{DeliveryId, LeaseToken, OrganizationId, RedeliveryJobId},
    port::{
        Admission, Admitted, Applicant, AttemptRecord, CancelDeliveryError, CancelJobError, CreateRunError, DeliveryQueue,
        Enqueued, Finish, FinishError, Finished, Intake, JobStep, NewRedeliveryJob, NewRun, Page, RecordError,
        RedeliverError, Redeliveries, Redelivery, Report, ReportError, RunningJob, StoreError, TestDelivery, Upkeep, Watch,
    },
    redelivery::{RedeliveryJob, RedeliverySelection},
    run::Run,
};
use preclinical_testkit::interception::Roles;

use crate::oracle::{Oracle, Shared};

/// Beside one node.
pub(crate) struct Witness {
    node: u32,
    organization: OrganizationId,
    roles: Roles,
    oracle: Shared,
}

/// The store of that node, watched.
pub(crate) fn watched(node: u32, organization: OrganizationId, roles: &Roles, oracle: &Shared) -> Roles {
    let witness = Arc::new(Witness { node, organization, roles: roles.clone(), oracle: Arc::clone(oracle) });
    Roles {
        intake: Arc::clone(&witness) as _,
        queue: Arc::clone(&witness) as _,
        redeliveries: Arc::clone(&witness) as _,
        upkeep: witness,
        ..roles.clone()
    }
}

impl Witness {
    fn tell(&self, what: impl FnOnce(&mut Oracle)) {
        what(&mut self.oracle.lock().unwrap());
    }
}

/// What the store was told when it asked for places.
#[derive(Debug)]
struct Overheard {
    places: Arc<dyn Admission>,
    refusals: Mutex<Vec<(Applicant, Admitted)>>,
}

impl Admission for Overheard {
    fn room(&self) -> usize {
        self.places.room()
    }

    fn admit(&self, applicant: &Applicant) -> Admitted {
        let answer = self.places.admit(applicant);
        if !matches!(answer, Admitted::Granted(_)) {
            self.refusals.lock().unwrap().push((*applicant, answer));
        }
        answer
    }

    fn granted(&self) -> Vec<LeaseToken> {
        self.places.granted()
    }
}

/// Nobody hears what others leave: the engine's longest sleep is what finds it.
struct Silence;

#[async_trait]
impl Watch for Silence {
    async fn rung(&mut self) {
        std::future::pending::<()>().await;
    }
}

#[async_trait]
impl Intake for Witness {
    async fn create_run(&self, run: NewRun) -> Result<Run, CreateRunError> {
        self.roles.intake.create_run(run).await
    }

    async fn report_results(&self, report: Report) -> Result<Finished, ReportError> {
        let answer = self.roles.intake.report_results(report.clone()).await;
        self.tell(|oracle| oracle.reported(self.node, &report, &answer));
        answer
    }

    async fn finish_run(&self, finish: Finish) -> Result<Finished, FinishError> {
        let answer = self.roles.intake.finish_run(finish.clone()).await;
        self.tell(|oracle| oracle.finished(self.node, &finish, &answer));
        answer
    }
}

#[async_trait]
impl DeliveryQueue for Witness {
    async fn claim_due(&self, now: Timestamp, places: Arc<dyn Admission>) -> Result<Vec<Claimed>, StoreError> {
        let overheard = Arc::new(Overheard { places, refusals: Mutex::default() });
        let answer = self.roles.queue.claim_due(now, Arc::clone(&overheard) as _).await;
        if let Ok(claimed) = &answer {
            let (granted, refusals) = (overheard.granted(), overheard.refusals.lock().unwrap().clone());
            self.tell(|oracle| oracle.looked(self.node, now, &granted, &refusals, claimed));
        }
        answer
    }

    async fn record(&self, record: AttemptRecord) -> Result<(), RecordError> {
        let answer = self.roles.queue.record(record.clone()).await;
        self.tell(|oracle| oracle.recorded(self.node, &record, &answer));
        answer
    }

    async fn watch_work(&self) -> Result<Box<dyn Watch>, StoreError> {
        // When it would ring no seed can say.
        Ok(Box::new(Silence))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let answer = self.roles.queue.next_due().await;
        if let Ok(due) = &answer {
            self.tell(|oracle| {
                let known = oracle.next_due_of(self.node);
                oracle.expect(*due == known, || format!("the next is said to be due at {due:?}, not {known:?}"));
            });
        }
        answer
    }

    async fn enqueue_test(&self, test: TestDelivery) -> Result<Option<Claimed>, StoreError> {
        let answer = self.roles.queue.enqueue_test(test.clone()).await;
        self.tell(|oracle| oracle.tried_out(self.node, &test, &answer));
        answer
    }

    async fn redeliver(&self, redelivery: Redelivery) -> Result<Enqueued, RedeliverError> {
        let answer = self.roles.queue.redeliver(redelivery.clone()).await;
        self.tell(|oracle| oracle.redelivered(self.node, &redelivery, &answer));
        answer
    }

    async fn cancel_delivery(
        &self,
        organization: OrganizationId,
        id: DeliveryId,
        at: Timestamp,
    ) -> Result<Delivery, CancelDeliveryError> {
        let answer = self.roles.queue.cancel_delivery(organization, id, at).await;
        self.tell(|oracle| oracle.canceled(id, &answer));
        answer
    }
}

#[async_trait]
impl Redeliveries for Witness {
    async fn count_redeliveries(
        &self,
        organization: OrganizationId,
        selection: RedeliverySelection,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.roles.redeliveries.count_redeliveries(organization, selection, at).await
    }

    async fn create_redelivery_job(&self, job: NewRedeliveryJob) -> Result<RedeliveryJob, StoreError> {
        let answer = self.roles.redeliveries.create_redelivery_job(job).await;
        if answer.is_ok() {
            self.tell(|oracle| oracle.ordered(&job));
        }
        answer
    }

    async fn replay_recovered(&self, jobs: Vec<RedeliveryJobId>, at: Timestamp) -> Result<Vec<RedeliveryJob>, StoreError> {
        let answer = self.roles.redeliveries.replay_recovered(jobs, at).await;
        for job in answer.iter().flatten() {
            self.tell(|oracle| oracle.owed(job));
        }
        answer
    }

    async fn redelivery_job(
        &self,
        organization: OrganizationId,
        id: RedeliveryJobId,
    ) -> Result<Option<RedeliveryJob>, StoreError> {
        self.roles.redeliveries.redelivery_job(organization, id).await
    }

    async fn redelivery_jobs(
        &self,
        organization: OrganizationId,
        page: Page,
    ) -> Result<(Vec<RedeliveryJob>, u64), StoreError> {
        self.roles.redeliveries.redelivery_jobs(organization, page).await
    }

    async fn cancel_redelivery_job(
        &self,
        organization: OrganizationId,
        id: RedeliveryJobId,
        at: Timestamp,
    ) -> Result<RedeliveryJob, CancelJobError> {
        self.roles.redeliveries.cancel_redelivery_job(organization, id, at).await
    }

    async fn running_redelivery_jobs(
        &self,
        after: Option<RedeliveryJobId>,
        limit: u32,
    ) -> Result<Vec<RunningJob>, StoreError> {
        self.roles.redeliveries.running_redelivery_jobs(after, limit).await
    }

    async fn advance_redelivery_job(
        &self,
        id: RedeliveryJobId,
        deliveries: Vec<DeliveryId>,
        at: Timestamp,
    ) -> Result<JobStep, StoreError> {
        let step = self.roles.redeliveries.advance_redelivery_job(id, deliveries.clone(), at).await?;
        let mut written = 0;
        for new in deliveries {
            if let Some((delivery, _)) = self.roles.history.delivery(self.organization, new).await? {
                written += 1;
                self.tell(|oracle| oracle.repeated(id, &delivery, at));
            }
        }
        self.tell(|oracle| oracle.expect(written == step.enqueued, || "a job lost count".to_owned()));
        Ok(step)
    }
}

#[async_trait]
impl Upkeep for Witness {
    async fn void_dead_leases(&self, now: Timestamp) -> Result<u64, StoreError> {
        let answer = self.roles.upkeep.void_dead_leases(now).await;
        if let Ok(count) = &answer {
            self.tell(|oracle| oracle.voided(self.node, now, *count));
        }
        answer
    }

    async fn beat(&self, now: Timestamp) -> Result<u64, StoreError> {
        let answer = self.roles.upkeep.beat(now).await;
        if let Ok(count) = &answer {
            self.tell(|oracle| oracle.voided(self.node, now, *count));
        }
        answer
    }

    async fn leave(&self, now: Timestamp) -> Result<u64, StoreError> {
        let answer = self.roles.upkeep.leave(now).await;
        if let Ok(count) = &answer {
            self.tell(|oracle| oracle.left(self.node, now, *count));
        }
        answer
    }

    async fn forget_deliveries(&self, before: Timestamp, most: u32) -> Result<u64, StoreError> {
        self.roles.upkeep.forget_deliveries(before, most).await
    }

    async fn ping(&self, now: Timestamp) -> Result<(), StoreError> {
        self.roles.upkeep.ping(now).await
    }
}
