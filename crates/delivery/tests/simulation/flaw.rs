//! Negative controls: stores and wires that break a promise, each of which the simulation has to catch.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    delivery::{Claimed, Delivery, DeliveryStatus},
    id::{DeliveryId, LeaseToken, OrganizationId, WebhookId},
    port::{
        Admission, AttemptRecord, CancelDeliveryError, CreateRunError, DeliveryQueue, Enqueued, Fate, Finish, FinishError,
        Finished, Intake, NewRun, NoPlaces, RecordError, RedeliverError, Redelivery, Report, ReportError, StoreError,
        TestDelivery, Watch,
    },
    retry::NextStep,
    run::Run,
};
use preclinical_testkit::interception::Roles;

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    ClaimsEarly,
    ClaimsWhatIsLeased,
    PassesOver,
    ClaimsWithAnOldUrl,
    ClaimsWithoutSecrets,
    TakesLateRecords,
    RefusesRecords,
    ForgetsSuccesses,
    ForgetsRetries,
    CountsFailuresTwice,
    KeepsNoRequest,
    ForgetsCanceling,
    WritesTwoDeliveries,
    WritesNoDelivery,
    EndsRunsTwice,
    NeverGivesUp,
}

pub(crate) struct Flawed {
    flaw: Flaw,
    roles: Roles,
    urls: Mutex<BTreeMap<WebhookId, String>>,
    leases: Mutex<BTreeMap<DeliveryId, LeaseToken>>,
}

/// The same store with a flaw.
pub(crate) fn flawed(roles: Roles, flaw: Flaw) -> Roles {
    let (urls, leases) = (Mutex::default(), Mutex::default());
    let flawed = Arc::new(Flawed { flaw, roles: roles.clone(), urls, leases });
    Roles { intake: Arc::clone(&flawed) as _, queue: flawed, ..roles }
}

impl Flawed {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn spoil(&self, mut claimed: Claimed) -> Claimed {
        let first = self.urls.lock().unwrap().entry(claimed.webhook_id).or_insert_with(|| claimed.url.clone()).clone();
        self.leases.lock().unwrap().insert(claimed.delivery_id, claimed.lease.token);
        if self.has(Flaw::ClaimsWithAnOldUrl) {
            claimed.url = first;
        }
        if self.has(Flaw::ClaimsWithoutSecrets) {
            claimed.secrets.clear();
        }
        claimed
    }

    fn spoil_record(&self, mut record: AttemptRecord) -> AttemptRecord {
        if self.has(Flaw::TakesLateRecords)
            && let Some(lease) = self.leases.lock().unwrap().get(&record.delivery_id)
        {
            record.lease = *lease;
        }
        if self.has(Flaw::NeverGivesUp) {
            record.disabling.patience = None;
        }
        if self.has(Flaw::KeepsNoRequest) {
            record.request = None;
        }
        if let (NextStep::RetryAt(at), true) = (record.next, self.has(Flaw::ForgetsRetries)) {
            record.next = NextStep::RetryAt(at + SignedDuration::from_hours(24 * 365));
        }
        record
    }
}

#[async_trait]
impl DeliveryQueue for Flawed {
    async fn claim_due(&self, now: Timestamp, places: Arc<dyn Admission>) -> Result<Vec<Claimed>, StoreError> {
        if self.has(Flaw::ClaimsWhatIsLeased) {
            self.roles.upkeep.void_dead_leases(now).await?;
        }
        let early = if self.has(Flaw::ClaimsEarly) { SignedDuration::from_secs(1) } else { SignedDuration::ZERO };
        let mut claimed = self.roles.queue.claim_due(now + early, places).await?;
        if self.has(Flaw::PassesOver) {
            claimed.pop();
        }
        if self.has(Flaw::CountsFailuresTwice) {
            for one in &mut claimed {
                one.failures *= 2;
            }
        }
        Ok(claimed.into_iter().map(|claimed| self.spoil(claimed)).collect())
    }

    async fn record(&self, record: AttemptRecord) -> Result<(), RecordError> {
        let succeeded = record.next == NextStep::Delivered;
        match self.flaw {
            Flaw::ForgetsSuccesses if succeeded => Ok(()),
            Flaw::RefusesRecords if succeeded => Err(RecordError::LeaseLost),
            _ => self.roles.queue.record(self.spoil_record(record)).await,
        }
    }

    async fn watch_work(&self) -> Result<Box<dyn Watch>, StoreError> {
        self.roles.queue.watch_work().await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.roles.queue.next_due().await
    }

    async fn enqueue_test(&self, test: TestDelivery) -> Result<Option<Claimed>, StoreError> {
        Ok(self.roles.queue.enqueue_test(test).await?.map(|claimed| self.spoil(claimed)))
    }

    async fn redeliver(&self, redelivery: Redelivery) -> Result<Enqueued, RedeliverError> {
        let mut enqueued = self.roles.queue.redeliver(redelivery).await?;
        enqueued.claimed = enqueued.claimed.map(|claimed| self.spoil(claimed));
        Ok(enqueued)
    }

    async fn cancel_delivery(
        &self,
        organization: OrganizationId,
        id: DeliveryId,
        at: Timestamp,
    ) -> Result<Delivery, CancelDeliveryError> {
        match self.roles.history.delivery(organization, id).await? {
            Some((delivery, _)) if self.has(Flaw::ForgetsCanceling) && delivery.status == DeliveryStatus::Pending => {
                Ok(Delivery { status: DeliveryStatus::Canceled, ..delivery })
            }
            _ => self.roles.queue.cancel_delivery(organization, id, at).await,
        }
    }
}

#[async_trait]
impl Intake for Flawed {
    async fn create_run(&self, run: NewRun) -> Result<Run, CreateRunError> {
        self.roles.intake.create_run(run).await
    }

    async fn report_results(&self, report: Report) -> Result<Finished, ReportError> {
        let Finished { run, fate } = self.roles.intake.report_results(report).await?;
        let fate = match fate {
            Fate::Claimed(claimed) => Fate::Claimed(self.spoil(claimed)),
            fate => fate,
        };
        Ok(Finished { run, fate })
    }

    async fn finish_run(&self, finish: Finish) -> Result<Finished, FinishError> {
        let (organization_id, of, at) = (finish.organization_id, finish.dispatch.delivery_id, finish.at);
        let Finished { run, fate } = match self.roles.intake.finish_run(finish.clone()).await {
            Err(FinishError::AlreadyFinal(_)) if self.has(Flaw::EndsRunsTwice) => {
                let run = self.roles.history.run(organization_id, finish.run).await?.ok_or(FinishError::RunNotFound)?;
                Finished { run, fate: Fate::NotFinal }
            }
            answer => answer?,
        };
        let is_written = matches!(fate, Fate::Claimed(_) | Fate::Due);
        if is_written && self.has(Flaw::WritesTwoDeliveries) {
            let delivery_id = DeliveryId::from_uuid(uuid::Uuid::from_u128(of.uuid().as_u128() ^ 1));
            let _ = self
                .roles
                .queue
                .redeliver(Redelivery { organization_id, of, delivery_id, places: Arc::new(NoPlaces), at })
                .await;
        }
        let fate = match fate {
            Fate::Claimed(_) if self.has(Flaw::WritesNoDelivery) => Fate::NoWebhook,
            Fate::Claimed(claimed) => Fate::Claimed(self.spoil(claimed)),
            fate => fate,
        };
        Ok(Finished { run, fate })
    }
}
