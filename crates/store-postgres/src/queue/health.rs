//! What attempts leave on their webhooks, and how a webhook is given up.

use std::collections::BTreeMap;

use preclinical_core::{
    event::{DisabledWebhook, EventContent, EventKind},
    health::{Ending, Health, Patience},
    id::{AgentId, OrganizationId, WebhookId},
    port::AttemptRecord,
    webhook::DisabledReason,
};
use tokio_postgres::Row;

use super::{NewDelivery, NewEvent, cancel_pending, insert_delivery, insert_event};
use crate::{
    failure::Failure,
    row::{Id, Time, get, id, maybe_id, maybe_time, number},
    transaction::Transaction,
};

/// By a function of the schema. All of them succeeded: nothing needs to be known of before.
const SUCCEEDED: &str = "SELECT note_successes($1, $2)";

const KNOWN: &str = "SELECT webhook_health.*, is_enabled FROM webhook_health JOIN webhooks ON webhooks.id = webhook_id \
     WHERE webhook_id = ANY($1) ORDER BY webhook_id FOR UPDATE OF webhook_health";

const SAVED: &str = "UPDATE webhook_health SET last_triggered_at = known.triggered, last_success_at = known.success, \
     consecutive_failures = known.failures, failing_since = known.since, exhausted_deliveries = known.exhausted, \
     missed_since = known.missed \
     FROM unnest($1, $2, $3, $4, $5, $6, $7) AS known (id, triggered, success, failures, since, exhausted, missed) \
     WHERE webhook_health.webhook_id = known.id";

/// What attempts left on a webhook.
pub(crate) fn read(row: &Row) -> Result<Health, Failure> {
    Ok(Health {
        last_triggered_at: maybe_time(row, "last_triggered_at")?,
        last_success_at: maybe_time(row, "last_success_at")?,
        consecutive_failures: number(row, "consecutive_failures")?,
        failing_since: maybe_time(row, "failing_since")?,
        exhausted_deliveries: number(row, "exhausted_deliveries")?,
        missed_since: maybe_time(row, "missed_since")?,
    })
}

/// Keeps it, of several webhooks.
pub(crate) async fn save(transaction: &Transaction, known: &[(WebhookId, Health)]) -> Result<(), Failure> {
    let times = |time: fn(&Health) -> Option<jiff::Timestamp>| -> Vec<_> {
        known.iter().map(|(_, health)| time(health).map(Time)).collect()
    };
    let counts =
        |count: fn(&Health) -> u32| -> Vec<_> { known.iter().map(|(_, health)| i64::from(count(health))).collect() };
    let webhooks: Vec<_> = known.iter().map(|(webhook, _)| Id(*webhook)).collect();
    transaction
        .run(
            SAVED,
            &[
                &webhooks,
                &times(|health| health.last_triggered_at),
                &times(|health| health.last_success_at),
                &counts(|health| health.consecutive_failures),
                &times(|health| health.failing_since),
                &counts(|health| health.exhausted_deliveries),
                &times(|health| health.missed_since),
            ],
        )
        .await
        .map(drop)
}

/// An attempt that is recorded, and whether its delivery has failed by it.
pub(super) struct Ended<'a> {
    pub(super) record: &'a AttemptRecord,
    pub(super) webhook: WebhookId,
    pub(super) is_exhausted: bool,
}

impl Ended<'_> {
    fn ending(&self) -> Ending {
        let Self { record, is_exhausted, .. } = *self;
        Ending { at: record.ended_at, is_success: record.outcome.is_success(), is_exhausted }
    }
}

/// Notes attempts on their webhooks, in their order. Answers which of them are one too many for a webhook that is enabled, and why.
pub(super) async fn note(transaction: &Transaction, ended: &[Ended<'_>]) -> Result<Vec<(usize, DisabledReason)>, Failure> {
    if ended.iter().all(|one| one.record.outcome.is_success()) {
        return note_successes(transaction, ended).map(|()| Vec::new());
    }
    let webhooks: Vec<_> = ended.iter().map(|one| Id(one.webhook)).collect();
    let mut known = BTreeMap::new();
    for row in transaction.rows(KNOWN, &[&webhooks]).await? {
        known.insert(id::<WebhookId>(&row, "webhook_id")?, (read(&row)?, get::<bool>(&row, "is_enabled")?));
    }
    let mut verdicts = Vec::new();
    for (index, one) in ended.iter().enumerate() {
        let Some((health, is_enabled)) = known.get_mut(&one.webhook) else { continue };
        *health = health.after(one.ending());
        let verdict = Patience::verdict(one.record.disabling.patience, one.record.next, health, one.record.ended_at);
        // Who is disabled already can still turn out to be gone.
        let verdict = verdict.filter(|reason| *is_enabled || *reason == DisabledReason::Gone);
        verdicts.extend(verdict.map(|reason| (index, reason)));
    }
    let known: Vec<_> = known.into_iter().map(|(webhook, (health, _))| (webhook, health)).collect();
    save(transaction, &known).await?;
    Ok(verdicts)
}

fn note_successes(transaction: &Transaction, ended: &[Ended<'_>]) -> Result<(), Failure> {
    let last: BTreeMap<_, _> = ended.iter().map(|one| (Id(one.webhook), Time(one.record.ended_at))).collect();
    if last.is_empty() {
        return Ok(());
    }
    let (webhooks, times): (Vec<_>, Vec<_>) = last.into_iter().unzip();
    transaction.run_along(SUCCEEDED, &[&webhooks, &times])
}

/// Disables a webhook by an attempt that was noted on it; what it still has to send is missed. Whoever calls this is alone with the
/// organization.
pub(super) async fn give_up(
    transaction: &Transaction,
    record: &AttemptRecord,
    organization: OrganizationId,
    webhook: WebhookId,
    reason: DisabledReason,
) -> Result<(), Failure> {
    let sql = "SELECT webhook_health.*, agent_id, url, is_enabled FROM webhook_health JOIN webhooks ON id = webhook_id \
         WHERE webhook_id = $1";
    let Some(row) = transaction.row(sql, &[&Id(webhook)]).await? else { return Ok(()) };
    let health = read(&row)?.missing();
    save(transaction, &[(webhook, health)]).await?;
    let sql =
        "UPDATE webhooks SET is_enabled = false, disabled_reason = $2, updated_at = $3, version = version + 1 WHERE id = $1";
    transaction.run(sql, &[&Id(webhook), &reason.as_str(), &Time(record.ended_at)]).await?;
    cancel_pending(transaction, organization, webhook, record.ended_at).await?;
    match maybe_id(&row, "agent_id")? {
        Some(agent) if get(&row, "is_enabled")? => {
            let url: String = get(&row, "url")?;
            tell(transaction, record, organization, agent, (webhook, url.as_str(), reason, health)).await
        }
        _ => Ok(()),
    }
}

/// Writes a delivery to the organization's webhook, if there is one that is enabled.
async fn tell(
    transaction: &Transaction,
    record: &AttemptRecord,
    organization_id: OrganizationId,
    agent_id: AgentId,
    (webhook, url, reason, health): (WebhookId, &str, DisabledReason, Health),
) -> Result<(), Failure> {
    let sql = "SELECT webhooks.id, agents.name FROM webhooks, agents WHERE webhooks.organization_id = $1 \
         AND webhooks.agent_id IS NULL AND webhooks.is_enabled AND agents.id = $2";
    let Some(row) = transaction.row(sql, &[&Id(organization_id), &Id(agent_id)]).await? else { return Ok(()) };
    let (webhook_id, agent_name): (WebhookId, String) = (id(&row, "id")?, get(&row, "name")?);
    let disabled = DisabledWebhook { id: webhook, url, agent_id, agent_name: &agent_name, reason, health };
    let content = EventContent::of_disabling(&disabled, &record.disabling.public_url);
    let (kind, at, event_id) = (EventKind::WebhookDisabled, record.ended_at, record.disabling.event_id);
    let event = NewEvent { id: event_id, organization_id, kind, run: None, content: &content, at };
    insert_event(transaction, &event).await?;
    let delivery = NewDelivery {
        id: record.disabling.delivery_id,
        organization_id,
        event_id,
        kind,
        webhook_id,
        agent_id: Some(agent_id),
        run: None,
        redelivery_of: None,
        job: None,
        at,
    };
    insert_delivery(transaction, &delivery).await?;
    transaction.leaves_work();
    Ok(())
}
