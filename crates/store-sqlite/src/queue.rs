//! [`DeliveryQueue`] on SQLite.

mod canceling;
mod claim;
pub(crate) mod health;
mod recording;
mod turns;

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    delivery::{Claimed, Delivery, DeliveryStatus, Lease},
    event::{EventContent, EventKind},
    id::{AgentId, DeliveryId, EventId, OrganizationId, RedeliveryJobId, RunId, WebhookId},
    port::{
        Admission, AttemptRecord, CancelDeliveryError, DeliveryQueue, Enqueued, RecordError, RedeliverError, Redelivery,
        StoreError, TestDelivery, Watch,
    },
    run::RunNumber,
    vault::Vault,
};
use rusqlite::{Connection, params};

pub(crate) use self::{
    canceling::{cancel_pending, interrupt_canceled},
    claim::{RUNNING, claim, claim_if_admitted, end_leases, write},
    turns::Turns,
};
use crate::{
    SqliteStore,
    candidates::Known,
    history,
    row::{Id, Time, id, maybe_time, unavailable},
    work::Work,
};

/// An event to be written; a test has no run.
pub(crate) struct NewEvent<'a> {
    pub(crate) id: EventId,
    pub(crate) organization_id: OrganizationId,
    pub(crate) kind: EventKind,
    pub(crate) run: Option<(RunId, i64)>,
    pub(crate) content: &'a EventContent,
    /// What was decided about webhooks, if it tells of a run.
    pub(crate) decisions: Option<&'a [u8]>,
    pub(crate) at: Timestamp,
}

pub(crate) fn insert_event(work: &Work<'_>, event: &NewEvent<'_>) -> rusqlite::Result<usize> {
    work.statement(
        "INSERT INTO events (id, organization_id, kind, run_id, generation, content, created_at, decisions) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        Id(event.id),
        Id(event.organization_id),
        event.kind.as_str(),
        event.run.map(|(run, _)| Id(run)),
        event.run.map(|(_, generation)| generation),
        event.content.bytes(),
        Time(event.at),
        event.decisions,
    ])
}

/// A delivery to be written, due at once.
pub(crate) struct NewDelivery<'a> {
    pub(crate) id: DeliveryId,
    pub(crate) organization_id: OrganizationId,
    pub(crate) event_id: EventId,
    pub(crate) kind: EventKind,
    pub(crate) webhook_id: WebhookId,
    /// The present one of its webhook.
    pub(crate) url: &'a str,
    pub(crate) agent_id: Option<AgentId>,
    pub(crate) run: Option<(RunId, RunNumber)>,
    pub(crate) redelivery_of: Option<DeliveryId>,
    /// The bulk redelivery that it belongs to.
    pub(crate) job: Option<RedeliveryJobId>,
    pub(crate) at: Timestamp,
}

/// With a lease its first attempt is under way since then.
pub(crate) fn insert_delivery(work: &Work<'_>, delivery: &NewDelivery<'_>, lease: Option<Lease>) -> rusqlite::Result<usize> {
    let change = work.next_change(delivery.organization_id)?;
    work.statement(
        "INSERT INTO deliveries (id, organization_id, event_id, kind, webhook_id, agent_id, run_id, run_number, url, \
             status, redelivery_of, created_at, redelivery_job, attempt_count, lease_token, lease_until, due_at, change, \
             attempt_started_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'pending', ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )?
    .execute(params![
        Id(delivery.id),
        Id(delivery.organization_id),
        Id(delivery.event_id),
        delivery.kind.as_str(),
        Id(delivery.webhook_id),
        delivery.agent_id.map(Id),
        delivery.run.map(|(id, _)| Id(id)),
        delivery.run.map(|(_, number)| number.0),
        delivery.url,
        delivery.redelivery_of.map(Id),
        Time(delivery.at),
        delivery.job.map(Id),
        lease.is_some(),
        lease.map(|lease| Id(lease.token)),
        lease.map(|lease| Time(lease.until)),
        lease.is_none().then_some(Time(delivery.at)),
        change,
        lease.is_some().then_some(Time(delivery.at)),
    ])
}

/// Ends a delivery that was just written, because we have disabled its webhook: it is missed.
pub(crate) fn hold_back(work: &Work<'_>, delivery: DeliveryId, at: Timestamp) -> rusqlite::Result<usize> {
    let change = work.next_change_of(delivery)?;
    work.prepare_cached(
        "UPDATE deliveries SET status = ?2, completed_at = ?3, due_at = NULL, missed = 1, change = ?4 WHERE id = ?1",
    )?
    .execute(params![Id(delivery), DeliveryStatus::Canceled.as_str(), Time(at), change])
}

fn enqueue_test(work: &Work<'_>, vault: &Vault, test: &TestDelivery) -> rusqlite::Result<Option<Claimed>> {
    let found = work.webhook(test.webhook_id)?;
    let Some((webhook, _)) = found.filter(|(webhook, _)| webhook.organization == test.organization_id) else {
        return Ok(None);
    };
    let content = EventContent::of_test(test.at);
    let (kind, organization_id) = (EventKind::Test, test.organization_id);
    let (id, at) = (test.event_id, test.at);
    insert_event(work, &NewEvent { id, organization_id, kind, run: None, content: &content, decisions: None, at })?;
    insert_delivery(
        work,
        &NewDelivery {
            id: test.delivery_id,
            organization_id,
            event_id: test.event_id,
            kind,
            webhook_id: test.webhook_id,
            url: &webhook.receiver.url,
            agent_id: webhook.agent,
            run: None,
            redelivery_of: None,
            job: None,
            at: test.at,
        },
        None,
    )?;
    claim(work, vault, test.delivery_id, test.lease, test.at)
}

/// Writes a new delivery of the event of an old one, to the same webhook.
pub(crate) fn repeat(
    work: &Work<'_>,
    webhook: &Known,
    old: &Delivery,
    new: DeliveryId,
    job: Option<RedeliveryJobId>,
    at: Timestamp,
) -> rusqlite::Result<usize> {
    let event_id: EventId = work
        .prepare_cached("SELECT event_id FROM deliveries WHERE id = ?1")?
        .query_row([Id(old.id)], |row| id(row, "event_id"))?;
    let delivery = NewDelivery {
        id: new,
        organization_id: webhook.organization,
        event_id,
        kind: old.event,
        webhook_id: old.webhook_id,
        url: &webhook.receiver.url,
        agent_id: old.agent_id,
        run: old.run_id.zip(old.run_number),
        redelivery_of: Some(old.id),
        job,
        at,
    };
    insert_delivery(work, &delivery, None)
}

/// Counts one more replay that nobody ordered.
pub(crate) fn count_replay(connection: &Connection, old: DeliveryId, new: DeliveryId) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("UPDATE deliveries SET replays = 1 + (SELECT replays FROM deliveries WHERE id = ?1) WHERE id = ?2")?
        .execute(params![Id(old), Id(new)])
}

fn redeliver(work: &Work<'_>, vault: &Vault, order: &Redelivery) -> Result<Enqueued, RedeliverError> {
    let old = history::find_delivery(work, order.organization_id, order.of).map_err(unavailable)?;
    let old = old.ok_or(RedeliverError::NotFound)?;
    let repeated = history::find_delivery(work, order.organization_id, order.delivery_id).map_err(unavailable)?;
    if let Some(delivery) = repeated.filter(|delivery| delivery.redelivery_of == Some(old.id)) {
        return Ok(Enqueued { delivery, claimed: None });
    }
    let webhook = work.webhook(old.webhook_id).map_err(unavailable)?;
    let (webhook, _) = webhook.ok_or(RedeliverError::WebhookDeleted)?;
    // Whoever tries a webhook out may do so before it is enabled.
    if !webhook.candidate.is_enabled && old.event != EventKind::Test {
        return Err(RedeliverError::WebhookDisabled);
    }
    repeat(work, &webhook, &old, order.delivery_id, None, order.at).map_err(unavailable)?;
    let claimed = claim_if_admitted(work, vault, order.delivery_id, &*order.places, order.at).map_err(unavailable)?;
    let delivery = history::find_delivery(work, order.organization_id, order.delivery_id).map_err(unavailable)?;
    Ok(Enqueued { delivery: delivery.ok_or(RedeliverError::NotFound)?, claimed })
}

/// The next attempt, or the end of a lease, whatever comes first.
const NEXT_DUE: &str = "SELECT min(at) AS due_at FROM (SELECT min(due_at) AS at FROM deliveries WHERE due_at IS NOT NULL \
     UNION ALL SELECT min(lease_until) FROM deliveries WHERE lease_until IS NOT NULL)";

/// No other process sends.
struct Nobody;

#[async_trait]
impl Watch for Nobody {
    async fn rung(&mut self) {
        std::future::pending::<()>().await;
    }
}

#[async_trait]
impl DeliveryQueue for SqliteStore {
    async fn claim_due(&self, now: Timestamp, places: Arc<dyn Admission>) -> Result<Vec<Claimed>, StoreError> {
        let (vault, turns) = (Arc::clone(&self.vault), Arc::clone(&self.turns));
        self.write(move |work| {
            let claiming = claim::Claiming { work, vault: &vault, now, places: &*places, claimed: Vec::new() };
            claim::due(claiming, &mut turns.lock().unwrap_or_else(PoisonError::into_inner)).map_err(unavailable)
        })
        .await
    }

    async fn record(&self, record: AttemptRecord) -> Result<(), RecordError> {
        let kept = recording::Kept::of(&record)?;
        self.write_together(move |work| recording::record(work, &record, &kept)).await
    }

    async fn watch_work(&self) -> Result<Box<dyn Watch>, StoreError> {
        Ok(Box::new(Nobody))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached(NEXT_DUE)
                .and_then(|mut statement| statement.query_row([], |row| maybe_time(row, "due_at")))
                .map_err(unavailable)
        })
        .await
    }

    async fn enqueue_test(&self, test: TestDelivery) -> Result<Option<Claimed>, StoreError> {
        let vault = Arc::clone(&self.vault);
        self.write(move |work| enqueue_test(work, &vault, &test).map_err(unavailable)).await
    }

    async fn redeliver(&self, redelivery: Redelivery) -> Result<Enqueued, RedeliverError> {
        let vault = Arc::clone(&self.vault);
        self.write(move |work| redeliver(work, &vault, &redelivery)).await
    }

    async fn cancel_delivery(
        &self,
        organization: OrganizationId,
        id: DeliveryId,
        at: Timestamp,
    ) -> Result<Delivery, CancelDeliveryError> {
        self.write(move |work| canceling::cancel(work, organization, id, at)).await
    }
}
