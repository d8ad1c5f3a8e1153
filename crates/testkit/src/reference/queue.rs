//! Deliveries go out, and what is known to be dead is taken over.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    attempt::{Attempt, AttemptError, ErrorKind, Outcome},
    delivery::{Claimed, Delivery, DeliveryStatus, Lease},
    event::{DisabledWebhook, EventContent, EventKind},
    health::{Ending, Patience},
    id::{DeliveryId, EventId, OrganizationId, WebhookId},
    port::{
        Admission, Admitted, Applicant, AttemptRecord, CancelDeliveryError, DeliveryQueue, Disabling, Enqueued, RecordError,
        RedeliverError, Redelivery, Standing, StoreError, TestDelivery, Watch,
    },
    retry::NextStep,
    timing::Timing,
    webhook::{DisabledReason, Webhook},
};

use super::{DeliveryRow, EventRow, Ledger, ReferenceStore, micros};

const INTERRUPTED: &str = "nobody knows how this attempt ended";

impl DeliveryRow {
    /// A delivery of an event, due at once.
    pub(super) fn new(
        ledger: &Ledger,
        (id, event): (DeliveryId, EventId),
        kind: EventKind,
        webhook_id: WebhookId,
        at: Timestamp,
    ) -> Self {
        let webhook = &ledger.webhooks[&webhook_id].webhook;
        let delivery = Delivery {
            id,
            event: kind,
            status: DeliveryStatus::Pending,
            webhook_id,
            agent_id: webhook.agent_id,
            run_id: None,
            run_number: None,
            url: webhook.url.clone(),
            attempt_count: 0,
            http_status: None,
            duration_ms: None,
            next_attempt_at: None,
            redelivery_of: None,
            created_at: at,
            completed_at: None,
        };
        Self {
            delivery,
            organization: webhook.organization_id,
            event,
            due: Some(micros(at)),
            lease: None,
            failures: 0,
            job: None,
            replays: 0,
            is_missed: false,
            change: 0,
            attempts: Vec::new(),
        }
    }

    pub(super) fn shown(&self) -> Delivery {
        let next_attempt_at = self.due.filter(|_| self.lease.is_none());
        Delivery { next_attempt_at, ..self.delivery.clone() }
    }

    fn is_delivered(&self) -> bool {
        self.delivery.status == DeliveryStatus::Delivered
    }

    pub(super) fn is_pending(&self) -> bool {
        self.delivery.status == DeliveryStatus::Pending
    }
}

impl Ledger {
    /// Changes a delivery and gives the change its number.
    pub(super) fn change<T>(&mut self, id: DeliveryId, change: impl FnOnce(&mut DeliveryRow) -> T) -> Option<T> {
        let row = self.deliveries.get_mut(&id)?;
        let answer = change(row);
        let organization = self.organizations.get_mut(&row.organization)?;
        organization.last_change += 1;
        row.change = organization.last_change;
        self.concerned.insert(row.organization);
        Some(answer)
    }

    pub(super) fn insert(&mut self, row: DeliveryRow) {
        let id = row.delivery.id;
        self.deliveries.insert(id, row);
        self.change(id, |_| ());
    }

    pub(super) fn end(&mut self, id: DeliveryId, status: DeliveryStatus, at: Timestamp) {
        self.change(id, |row| {
            (row.delivery.status, row.delivery.completed_at, row.due) = (status, Some(micros(at)), None);
        });
    }

    /// Claims a pending delivery; `None` if its webhook is no more, and the delivery canceled.
    pub(super) fn claim(&mut self, id: DeliveryId, lease: Lease, now: Timestamp) -> Option<Claimed> {
        let row = self.deliveries.get(&id)?;
        let Some(webhook) = self.webhooks.get(&row.delivery.webhook_id) else {
            self.end(id, DeliveryStatus::Canceled, now);
            self.change(id, |row| row.lease = None);
            return None;
        };
        let (url, secrets, headers) = (webhook.webhook.url.clone(), webhook.secrets(now), webhook.headers.clone());
        let content = self.events.get(&row.event)?.content.clone();
        self.change(id, |row| {
            row.delivery.attempt_count += 1;
            row.delivery.url.clone_from(&url);
            (row.lease, row.due) = (Some(lease.token), Some(micros(lease.until)));
            let number = row.delivery.attempt_count;
            row.attempts.push(Attempt {
                number,
                started_at: micros(now),
                duration_ms: None,
                timing: Timing::default(),
                http_status: None,
                error: None,
                request: None,
                response: None,
            });
            Claimed {
                delivery_id: id,
                organization_id: row.organization,
                webhook_id: row.delivery.webhook_id,
                attempt: number,
                failures: row.failures,
                lease,
                url,
                secrets,
                headers,
                event: row.delivery.event,
                content,
            }
        })
    }

    fn claim_due(&mut self, now: Timestamp, places: &dyn Admission) -> Vec<Claimed> {
        let pending = self.deliveries.iter().filter(|(_, row)| row.is_pending());
        let mut due: Vec<_> = pending.filter_map(|(id, row)| Some((row.due.filter(|due| *due <= now)?, *id))).collect();
        due.sort_unstable();
        let mut claimed = Vec::new();
        for (_, id) in due {
            let was_cut_off = self.deliveries[&id].lease.is_some();
            if was_cut_off && self.deliveries[&id].delivery.event == EventKind::Test {
                self.change(id, interrupt);
                self.end(id, DeliveryStatus::Failed, now);
                self.change(id, |row| row.lease = None);
            } else {
                match self.admit(id, places) {
                    Some(Admitted::Granted(lease)) => claimed.extend(self.claim_admitted(id, lease, now)),
                    Some(Admitted::Full) => break,
                    _ => {}
                }
            }
        }
        claimed
    }

    /// Claims a pending delivery if it is admitted.
    pub(super) fn claim_if_admitted(&mut self, id: DeliveryId, places: &dyn Admission, now: Timestamp) -> Option<Claimed> {
        match self.admit(id, places)? {
            Admitted::Granted(lease) => self.claim_admitted(id, lease, now),
            _ => None,
        }
    }

    fn claim_admitted(&mut self, id: DeliveryId, lease: Lease, now: Timestamp) -> Option<Claimed> {
        if self.deliveries.get(&id)?.lease.is_some() {
            self.change(id, interrupt);
        }
        self.claim(id, lease, now)
    }

    fn admit(&self, id: DeliveryId, places: &dyn Admission) -> Option<Admitted> {
        let row = self.deliveries.get(&id)?;
        let (organization, webhook) = (row.organization, row.delivery.webhook_id);
        let health = self.webhooks.get(&webhook).map(|row| row.webhook.health).unwrap_or_default();
        let standing = Standing::of(health.last_triggered_at, health.last_success_at, health.consecutive_failures);
        Some(places.admit(&Applicant { delivery: id, organization, webhook, standing }))
    }

    fn record(&mut self, record: AttemptRecord) -> Result<(), RecordError> {
        let row = self.deliveries.get(&record.delivery_id).filter(|row| row.lease == Some(record.lease));
        let row = row.ok_or(RecordError::LeaseLost)?;
        let (webhook, kind, was) = (row.delivery.webhook_id, row.delivery.event, row.delivery.status);
        let (is_success, next, at) = (record.outcome.is_success(), record.next, micros(record.ended_at));
        let (id, disabling) = (record.delivery_id, record.disabling.clone());
        self.change(id, |row| note(row, record));
        if kind == EventKind::Test {
            return Ok(());
        }
        let is_exhausted = was == DeliveryStatus::Pending && self.deliveries[&id].delivery.status == DeliveryStatus::Failed;
        self.change(id, |row| row.is_missed = is_exhausted || (row.is_missed && !row.is_delivered()));
        let Some(found) = self.webhooks.get_mut(&webhook).map(|row| &mut row.webhook) else { return Ok(()) };
        found.health = found.health.after(Ending { at, is_success, is_exhausted });
        let verdict = Patience::verdict(disabling.patience, next, &found.health, at);
        if let Some(reason) = verdict.filter(|reason| found.is_enabled || *reason == DisabledReason::Gone) {
            self.give_up(webhook, reason, &disabling, at);
        }
        Ok(())
    }

    /// Disables a webhook. What it still has to send is missed.
    fn give_up(&mut self, id: WebhookId, reason: DisabledReason, disabling: &Disabling, at: Timestamp) {
        let Some(webhook) = self.webhooks.get_mut(&id).map(|row| &mut row.webhook) else { return };
        let was_enabled = webhook.is_enabled;
        webhook.health = webhook.health.missing();
        (webhook.is_enabled, webhook.disabled_reason) = (false, Some(reason));
        (webhook.updated_at, webhook.version) = (at, webhook.version.next());
        let webhook = webhook.clone();
        for missed in self.cancel_pending(id, at) {
            if self.deliveries[&missed].delivery.event != EventKind::Test {
                self.change(missed, |row| row.is_missed = true);
            }
        }
        if was_enabled {
            self.tell(&webhook, reason, disabling, at);
        }
    }

    /// Tells the organization's webhook of an agent's that was disabled.
    fn tell(&mut self, webhook: &Webhook, reason: DisabledReason, disabling: &Disabling, at: Timestamp) {
        let Some(agent_id) = webhook.agent_id else { return };
        let listener = self.webhook_at(webhook.organization_id, None).filter(|listener| listener.is_enabled);
        let Some(listener) = listener.map(|listener| listener.id) else { return };
        let agent_name = &self.agents[&agent_id].agent.name;
        let (id, url, health) = (webhook.id, webhook.url.as_str(), webhook.health);
        let disabled = DisabledWebhook { id, url, agent_id, agent_name, reason, health };
        let content = EventContent::of_disabling(&disabled, &disabling.public_url);
        self.events.insert(disabling.event_id, EventRow { run: None, content });
        let ids = (disabling.delivery_id, disabling.event_id);
        let row = DeliveryRow::new(self, ids, EventKind::WebhookDisabled, listener, at);
        let delivery = Delivery { agent_id: Some(agent_id), ..row.delivery };
        self.insert(DeliveryRow { delivery, ..row });
    }

    fn enqueue_test(&mut self, test: &TestDelivery) -> Option<Claimed> {
        self.webhook(test.organization_id, test.webhook_id)?;
        self.events.insert(test.event_id, EventRow { run: None, content: EventContent::of_test(test.at) });
        let row = DeliveryRow::new(self, (test.delivery_id, test.event_id), EventKind::Test, test.webhook_id, test.at);
        self.insert(row);
        self.claim(test.delivery_id, test.lease, test.at)
    }

    /// Writes a new delivery of the event of an old one.
    pub(super) fn repeat(&mut self, of: DeliveryId, new: DeliveryId, at: Timestamp) {
        let old = &self.deliveries[&of];
        let (agent_id, run_id, run_number) = (old.delivery.agent_id, old.delivery.run_id, old.delivery.run_number);
        let row = DeliveryRow::new(self, (new, old.event), old.delivery.event, old.delivery.webhook_id, at);
        let delivery = Delivery { agent_id, run_id, run_number, redelivery_of: Some(of), ..row.delivery };
        self.insert(DeliveryRow { delivery, ..row });
    }

    fn redeliver(&mut self, order: &Redelivery) -> Result<Enqueued, RedeliverError> {
        let (of, new) = (order.of, order.delivery_id);
        let old = self.delivery(order.organization_id, of).ok_or(RedeliverError::NotFound)?;
        let (webhook, kind) = (old.delivery.webhook_id, old.delivery.event);
        let repeated = self.delivery(order.organization_id, new);
        if let Some(row) = repeated.filter(|row| row.delivery.redelivery_of == Some(of)) {
            return Ok(Enqueued { delivery: row.shown(), claimed: None });
        }
        let webhook = &self.webhooks.get(&webhook).ok_or(RedeliverError::WebhookDeleted)?.webhook;
        // Whoever tries a webhook out may do so before it is enabled.
        if !webhook.is_enabled && kind != EventKind::Test {
            return Err(RedeliverError::WebhookDisabled);
        }
        self.repeat(of, new, order.at);
        let claimed = self.claim_if_admitted(new, &*order.places, order.at);
        Ok(Enqueued { delivery: self.deliveries[&new].shown(), claimed })
    }

    fn cancel_delivery(
        &mut self,
        organization: OrganizationId,
        id: DeliveryId,
        at: Timestamp,
    ) -> Result<Delivery, CancelDeliveryError> {
        let status = self.delivery(organization, id).ok_or(CancelDeliveryError::NotFound)?.delivery.status;
        if status != DeliveryStatus::Pending {
            return Err(CancelDeliveryError::AlreadyEnded(status));
        }
        self.end(id, DeliveryStatus::Canceled, at);
        Ok(self.deliveries[&id].shown())
    }

    pub(super) fn void_leases(&mut self, now: Timestamp) -> u64 {
        for call in self.calls.values_mut() {
            call.held_until = call.held_until.map(|until| until.min(now));
        }
        let leased = |row: &&DeliveryRow| row.lease.is_some();
        let ended = self.deliveries.values().filter(leased).filter(|row| !row.is_pending());
        for id in ended.map(|row| row.delivery.id).collect::<Vec<_>>() {
            self.change(id, interrupt);
            self.change(id, |row| row.lease = None);
        }
        let leased = self.deliveries.values().filter(leased).filter(|row| row.is_pending());
        let held: Vec<_> = leased.filter(|row| row.due > Some(now)).map(|row| row.delivery.id).collect();
        for id in &held {
            self.change(*id, |row| row.due = Some(micros(now)));
        }
        held.len() as u64
    }
}

/// The attempt that nobody finished.
fn interrupt(row: &mut DeliveryRow) {
    for attempt in row.attempts.iter_mut().filter(|attempt| attempt.duration_ms.is_none() && attempt.error.is_none()) {
        attempt.error = Some(AttemptError { kind: ErrorKind::Interrupted, message: INTERRUPTED.to_owned() });
    }
}

/// How an attempt ended, and what follows for its delivery: a success is never forgotten, and what was canceled stays so otherwise.
fn note(row: &mut DeliveryRow, record: AttemptRecord) {
    let is_success = record.outcome.is_success();
    let http_status = record.outcome.http_status();
    if let Some(attempt) = row.attempts.iter_mut().find(|attempt| attempt.number == record.number) {
        (attempt.duration_ms, attempt.timing, attempt.http_status) = (Some(record.duration_ms), record.timing, http_status);
        (attempt.request, attempt.response) = (record.request, record.response);
        attempt.error = match record.outcome {
            Outcome::Failed(error) => Some(error),
            Outcome::Answered { .. } => None,
        };
    }
    let (status, due) = match (record.next, row.delivery.status) {
        (NextStep::Delivered, _) => (DeliveryStatus::Delivered, None),
        (NextStep::RetryAt(at), DeliveryStatus::Pending) => (DeliveryStatus::Pending, Some(micros(at))),
        (_, DeliveryStatus::Pending) => (DeliveryStatus::Failed, None),
        (_, ended) => (ended, None),
    };
    row.delivery.status = status;
    row.delivery.completed_at = due.is_none().then_some(micros(record.ended_at));
    (row.delivery.http_status, row.delivery.duration_ms) = (http_status, Some(record.duration_ms));
    (row.due, row.lease) = (due, None);
    row.failures += u32::from(!is_success);
}

/// No other process sends.
struct Nobody;

#[async_trait]
impl Watch for Nobody {
    async fn rung(&mut self) {
        std::future::pending::<()>().await;
    }
}

#[async_trait]
impl DeliveryQueue for ReferenceStore {
    async fn claim_due(&self, now: Timestamp, places: Arc<dyn Admission>) -> Result<Vec<Claimed>, StoreError> {
        Ok(self.write(|ledger| ledger.claim_due(now, &*places)))
    }

    async fn record(&self, record: AttemptRecord) -> Result<(), RecordError> {
        self.write(|ledger| ledger.record(record))
    }

    async fn watch_work(&self) -> Result<Box<dyn Watch>, StoreError> {
        Ok(Box::new(Nobody))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.read(|ledger| ledger.deliveries.values().filter(|row| row.is_pending()).filter_map(|row| row.due).min()))
    }

    async fn enqueue_test(&self, test: TestDelivery) -> Result<Option<Claimed>, StoreError> {
        Ok(self.write(|ledger| ledger.enqueue_test(&test)))
    }

    async fn redeliver(&self, redelivery: Redelivery) -> Result<Enqueued, RedeliverError> {
        self.write(|ledger| ledger.redeliver(&redelivery))
    }

    async fn cancel_delivery(
        &self,
        organization: OrganizationId,
        id: DeliveryId,
        at: Timestamp,
    ) -> Result<Delivery, CancelDeliveryError> {
        self.write(|ledger| ledger.cancel_delivery(organization, id, at))
    }
}
