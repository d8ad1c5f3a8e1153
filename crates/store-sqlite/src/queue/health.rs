//! What an attempt leaves on its webhook, and how a webhook is given up.

use preclinical_core::{
    event::{DisabledWebhook, EventContent, EventKind},
    health::{Ending, Health, Patience},
    id::{AgentId, OrganizationId, WebhookId},
    port::AttemptRecord,
    webhook::DisabledReason,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{NewDelivery, NewEvent, cancel_pending, insert_delivery, insert_event};
use crate::{
    row::{Columns, Id, Time},
    work::Work,
};

/// Keeps it.
pub(crate) fn save(connection: &Connection, webhook: WebhookId, health: &Health) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE webhooks SET last_triggered_at = ?2, last_success_at = ?3, consecutive_failures = ?4, failing_since = ?5, \
             exhausted_deliveries = ?6, missed_since = ?7 WHERE id = ?1",
        )?
        .execute(params![
            Id(webhook),
            health.last_triggered_at.map(Time),
            health.last_success_at.map(Time),
            health.consecutive_failures,
            health.failing_since.map(Time),
            health.exhausted_deliveries,
            health.missed_since.map(Time),
        ])
}

/// The columns of `webhooks` that [`read`] reads.
pub(crate) const HEALTH_COLUMNS: &str =
    "last_triggered_at, last_success_at, consecutive_failures, failing_since, exhausted_deliveries, missed_since";

pub(crate) fn read(columns: &mut Columns<'_>) -> rusqlite::Result<Health> {
    Ok(Health {
        last_triggered_at: columns.maybe_time()?,
        last_success_at: columns.maybe_time()?,
        consecutive_failures: columns.value()?,
        failing_since: columns.maybe_time()?,
        exhausted_deliveries: columns.value()?,
        missed_since: columns.maybe_time()?,
    })
}

/// Notes an attempt on its webhook, if it was not deleted, and disables it if that was one too many.
pub(super) fn note(work: &Work<'_>, record: &AttemptRecord, webhook: WebhookId, is_exhausted: bool) -> rusqlite::Result<()> {
    let Some((known, health)) = work.webhook(webhook)? else { return Ok(()) };
    let ending = Ending { at: record.ended_at, is_success: record.outcome.is_success(), is_exhausted };
    let health = health.after(ending);
    let verdict = Patience::verdict(record.disabling.patience, record.next, &health, record.ended_at);
    // Who is disabled already can still turn out to be gone.
    let is_enabled = known.candidate.is_enabled;
    let verdict = verdict.filter(|reason| is_enabled || *reason == DisabledReason::Gone);
    let Some(reason) = verdict else {
        work.note_health(webhook, health);
        return Ok(());
    };
    let health = health.missing();
    work.note_health(webhook, health);
    work.settle()?;
    disable(work, record, webhook, reason)?;
    match known.agent {
        Some(agent) if is_enabled => {
            let disabled = (webhook, known.receiver.url.as_str(), reason, health);
            tell(work, record, known.organization, agent, disabled)
        }
        _ => Ok(()),
    }
}

fn disable(work: &Work<'_>, record: &AttemptRecord, webhook: WebhookId, reason: DisabledReason) -> rusqlite::Result<()> {
    work.prepare_cached(
        "UPDATE webhooks SET is_enabled = 0, disabled_reason = ?2, updated_at = ?3, version = version + 1 WHERE id = ?1",
    )?
    .execute(params![Id(webhook), reason.as_str(), Time(record.ended_at)])?;
    cancel_pending(work, webhook, record.ended_at)
}

/// Writes a delivery to the organization's webhook, if there is one that is enabled.
fn tell(
    work: &Work<'_>,
    record: &AttemptRecord,
    organization_id: OrganizationId,
    agent_id: AgentId,
    (id, url, reason, health): (WebhookId, &str, DisabledReason, Health),
) -> rusqlite::Result<()> {
    let listens = "SELECT id, url FROM webhooks WHERE organization_id = ?1 AND agent_id IS NULL AND is_enabled = 1";
    let listener: Option<(WebhookId, String)> = work
        .prepare_cached(listens)?
        .query_row([Id(organization_id)], |row| Ok((crate::row::id(row, "id")?, row.get("url")?)))
        .optional()?;
    let Some((webhook_id, listens_at)) = listener else { return Ok(()) };
    let agent_name: String =
        work.prepare_cached("SELECT name FROM agents WHERE id = ?1")?.query_row([Id(agent_id)], |row| row.get("name"))?;
    let disabled = DisabledWebhook { id, url, agent_id, agent_name: &agent_name, reason, health };
    let (kind, at) = (EventKind::WebhookDisabled, record.ended_at);
    let (event_id, delivery_id) = (record.disabling.event_id, record.disabling.delivery_id);
    let content = EventContent::of_disabling(&disabled, &record.disabling.public_url);
    insert_event(
        work,
        &NewEvent { id: event_id, organization_id, kind, run: None, content: &content, decisions: None, at },
    )?;
    let delivery = NewDelivery {
        id: delivery_id,
        organization_id,
        event_id,
        kind,
        webhook_id,
        url: &listens_at,
        agent_id: Some(agent_id),
        run: None,
        redelivery_of: None,
        job: None,
        at,
    };
    insert_delivery(work, &delivery, None).map(drop)
}
