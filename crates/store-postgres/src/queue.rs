//! [`DeliveryQueue`] on PostgreSQL.

mod canceling;
mod claim;
pub(crate) mod health;
#[cfg(test)]
mod plans;
mod recording;
mod records;
mod turns;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    delivery::{Claimed, Delivery},
    event::{EventContent, EventKind},
    id::{AgentId, DeliveryId, EventId, OrganizationId, RedeliveryJobId, RunId, WebhookId},
    port::{
        Admission, Applicant, AttemptRecord, CancelDeliveryError, DeliveryQueue, Enqueued, RecordError, RedeliverError,
        Redelivery, Standing, StoreError, TestDelivery, Watch,
    },
    retry::NextStep,
    run::RunNumber,
};

pub(crate) use self::{
    canceling::{Rest, cancel_part, cancel_pending, cancel_whatever_is_left, whatever_is_left},
    claim::{Holder, claim, claim_if_admitted, note_interruptions},
    records::{Records, records},
    turns::Turns,
};
use crate::{
    PostgresStore,
    candidates::standing,
    failure::{Failure, unavailable},
    history,
    row::{Id, Time, get, id, maybe_id, maybe_time},
    transaction::{IN_ORDER, Transaction, Turn},
};

const NEXT_DUE: &str = "SELECT due_at FROM deliveries WHERE status = 'pending' AND (lease_node IS NULL OR lease_node = $1 \
     OR NOT EXISTS (SELECT FROM nodes WHERE id = lease_node)) ORDER BY due_at, id LIMIT 1";

/// An event to be written; a test has no run.
pub(crate) struct NewEvent<'a> {
    pub(crate) id: EventId,
    pub(crate) organization_id: OrganizationId,
    pub(crate) kind: EventKind,
    pub(crate) run: Option<(RunId, i64)>,
    pub(crate) content: &'a EventContent,
    pub(crate) at: Timestamp,
}

pub(crate) async fn insert_event(transaction: &Transaction, event: &NewEvent<'_>) -> Result<(), Failure> {
    let sql = "INSERT INTO events (id, organization_id, kind, run_id, generation, content, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let (run, generation) = event.run.unzip();
    let content: &[u8] = event.content.bytes();
    let (id, organization) = (Id(event.id), Id(event.organization_id));
    transaction
        .run(sql, &[&id, &organization, &event.kind.as_str(), &run.map(Id), &generation, &content, &Time(event.at)])
        .await?;
    Ok(())
}

/// A delivery to be written, due at once.
pub(crate) struct NewDelivery {
    pub(crate) id: DeliveryId,
    pub(crate) organization_id: OrganizationId,
    pub(crate) event_id: EventId,
    pub(crate) kind: EventKind,
    pub(crate) webhook_id: WebhookId,
    pub(crate) agent_id: Option<AgentId>,
    pub(crate) run: Option<(RunId, RunNumber)>,
    pub(crate) redelivery_of: Option<DeliveryId>,
    /// The bulk redelivery that it belongs to.
    pub(crate) job: Option<RedeliveryJobId>,
    pub(crate) at: Timestamp,
}

pub(crate) async fn insert_delivery(transaction: &Transaction, delivery: &NewDelivery) -> Result<(), Failure> {
    let sql = "INSERT INTO deliveries (id, organization_id, event_id, kind, webhook_id, agent_id, run_id, run_number, url, \
         status, due_at, redelivery_of, created_at, redelivery_job) \
         SELECT $1, $2, $3, $4, id, $6, $7, $8, url, 'pending', $10, $9, $10, $11 FROM webhooks WHERE id = $5";
    transaction
        .run(
            sql,
            &[
                &Id(delivery.id),
                &Id(delivery.organization_id),
                &Id(delivery.event_id),
                &delivery.kind.as_str(),
                &Id(delivery.webhook_id),
                &delivery.agent_id.map(Id),
                &delivery.run.map(|(id, _)| Id(id)),
                &delivery.run.map(|(_, number)| i64::from(number.0)),
                &delivery.redelivery_of.map(Id),
                &Time(delivery.at),
                &delivery.job.map(Id),
            ],
        )
        .await
        .inspect_err(|failure| {
            // The same order came twice at once.
            if failure.is_taken() {
                transaction.lose();
            }
        })?;
    transaction.concerns(delivery.organization_id);
    Ok(())
}

async fn enqueue_test(
    transaction: &Transaction,
    holder: Holder<'_>,
    test: &TestDelivery,
) -> Result<Option<Claimed>, Failure> {
    let sql = "SELECT agent_id FROM webhooks WHERE id = $1 AND organization_id = $2";
    let row = transaction.row(sql, &[&Id(test.webhook_id), &Id(test.organization_id)]).await?;
    let Some(row) = row else { return Ok(None) };
    let agent_id = maybe_id(&row, "agent_id")?;
    let content = EventContent::of_test(test.at);
    let (kind, organization_id) = (EventKind::Test, test.organization_id);
    let event = NewEvent { id: test.event_id, organization_id, kind, run: None, content: &content, at: test.at };
    insert_event(transaction, &event).await?;
    let delivery = NewDelivery {
        id: test.delivery_id,
        organization_id,
        event_id: test.event_id,
        kind,
        webhook_id: test.webhook_id,
        agent_id,
        run: None,
        redelivery_of: None,
        job: None,
        at: test.at,
    };
    insert_delivery(transaction, &delivery).await?;
    claim(transaction, holder, test.delivery_id, test.lease, test.at).await
}

/// Whether the webhook is enabled; `None` if it was deleted.
async fn is_enabled(transaction: &Transaction, webhook: WebhookId) -> Result<Option<bool>, Failure> {
    let row = transaction.row("SELECT is_enabled FROM webhooks WHERE id = $1", &[&Id(webhook)]).await?;
    row.map(|row| get(&row, "is_enabled")).transpose()
}

/// Writes a new delivery of the event of an old one.
pub(crate) async fn repeat(
    transaction: &Transaction,
    organization_id: OrganizationId,
    old: &Delivery,
    new: DeliveryId,
    job: Option<RedeliveryJobId>,
    at: Timestamp,
) -> Result<(), Failure> {
    let row = transaction.row("SELECT event_id FROM deliveries WHERE id = $1", &[&Id(old.id)]).await?;
    let event_id = id(&row.ok_or_else(|| Failure::unreadable("event_id"))?, "event_id")?;
    let delivery = NewDelivery {
        id: new,
        organization_id,
        event_id,
        kind: old.event,
        webhook_id: old.webhook_id,
        agent_id: old.agent_id,
        run: old.run_id.zip(old.run_number),
        redelivery_of: Some(old.id),
        job,
        at,
    };
    insert_delivery(transaction, &delivery).await
}

async fn standing_of(transaction: &Transaction, webhook: WebhookId) -> Result<Standing, Failure> {
    let sql = "SELECT last_triggered_at, last_success_at, consecutive_failures FROM webhook_health WHERE webhook_id = $1";
    transaction.row(sql, &[&Id(webhook)]).await?.map_or(Ok(Standing::Untried), |row| standing(&row))
}

async fn redeliver(transaction: &Transaction, holder: Holder<'_>, order: &Redelivery) -> Result<Enqueued, RedeliverError> {
    let find = |id| history::find_delivery(transaction, order.organization_id, id);
    let old = find(order.of).await.map_err(unavailable)?.ok_or(RedeliverError::NotFound)?;
    let repeated = find(order.delivery_id).await.map_err(unavailable)?;
    if let Some(delivery) = repeated.filter(|delivery| delivery.redelivery_of == Some(old.id)) {
        return Ok(Enqueued { delivery, claimed: None });
    }
    match is_enabled(transaction, old.webhook_id).await.map_err(unavailable)? {
        None => return Err(RedeliverError::WebhookDeleted),
        // Whoever tries a webhook out may do so before it is enabled.
        Some(false) if old.event != EventKind::Test => return Err(RedeliverError::WebhookDisabled),
        Some(_) => {}
    }
    let write = async {
        repeat(transaction, order.organization_id, &old, order.delivery_id, None, order.at).await?;
        let (delivery, organization, webhook) = (order.delivery_id, order.organization_id, old.webhook_id);
        let applicant = Applicant { delivery, organization, webhook, standing: standing_of(transaction, webhook).await? };
        let claimed = claim_if_admitted(transaction, holder, &applicant, &*order.places, order.at).await?;
        Ok((find(order.delivery_id).await?, claimed))
    };
    let (delivery, claimed) = write.await.map_err(unavailable)?;
    Ok(Enqueued { delivery: delivery.ok_or(RedeliverError::NotFound)?, claimed })
}

impl PostgresStore {
    pub(crate) fn holder(&self) -> Holder<'_> {
        Holder { vault: &self.0.vault, node: self.0.node.name() }
    }
}

#[async_trait]
impl DeliveryQueue for PostgresStore {
    async fn claim_due(&self, now: Timestamp, places: Arc<dyn Admission>) -> Result<Vec<Claimed>, StoreError> {
        let (holder, turns, places) = (self.holder(), &self.0.turns, &*places);
        let claimed = self.0.queue.run(Turn::InOrder, |transaction| {
            Box::pin(async move { claim::due(&transaction, holder, now, places, turns).await.map_err(unavailable) })
        });
        claimed.await.inspect_err(|_: &StoreError| self.0.node.doubt(places.granted()))
    }

    async fn record(&self, record: AttemptRecord) -> Result<(), RecordError> {
        let record = if record.next == NextStep::Gone {
            record
        } else {
            match records::write_with_others(self, record).await? {
                records::Written::Kept => return Ok(()),
                records::Written::LeaseLost => return Err(RecordError::LeaseLost),
                records::Written::Disabling(record) => *record,
            }
        };
        let record = &record;
        let held = self.0.queue.run(Turn::Free, |transaction| {
            Box::pin(async move { recording::record_alone(&transaction, record).await.map_err(unavailable) })
        });
        let held: Result<bool, StoreError> = held.await;
        if held? { Ok(()) } else { Err(RecordError::LeaseLost) }
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let node = self.0.node.name();
        self.glance(|transaction| {
            Box::pin(async move {
                transaction.batch(IN_ORDER).await?;
                let row = transaction.row(NEXT_DUE, &[&node]).await?;
                Ok(row.as_ref().map(|row| maybe_time(row, "due_at")).transpose()?.flatten())
            })
        })
        .await
    }

    async fn watch_work(&self) -> Result<Box<dyn Watch>, StoreError> {
        Ok(self.0.bells.watch_work())
    }

    async fn enqueue_test(&self, test: TestDelivery) -> Result<Option<Claimed>, StoreError> {
        let (holder, test) = (self.holder(), &test);
        let claimed = self.write(Turn::Beside(test.organization_id), |transaction| {
            Box::pin(async move { enqueue_test(&transaction, holder, test).await.map_err(unavailable) })
        });
        claimed.await.inspect_err(|_: &StoreError| self.0.node.doubt([test.lease.token]))
    }

    async fn redeliver(&self, redelivery: Redelivery) -> Result<Enqueued, RedeliverError> {
        let (holder, order) = (self.holder(), &redelivery);
        let enqueued = self.write(Turn::Beside(order.organization_id), |transaction| {
            Box::pin(async move { redeliver(&transaction, holder, order).await })
        });
        enqueued.await.inspect_err(|error| {
            if let RedeliverError::Store(_) = error {
                self.0.node.doubt(order.places.granted());
            }
        })
    }

    async fn cancel_delivery(
        &self,
        organization: OrganizationId,
        id: DeliveryId,
        at: Timestamp,
    ) -> Result<Delivery, CancelDeliveryError> {
        self.write(Turn::Free, |transaction| {
            Box::pin(async move { canceling::cancel(&transaction, organization, id, at).await })
        })
        .await
    }
}
