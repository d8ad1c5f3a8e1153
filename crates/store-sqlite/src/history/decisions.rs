//! Decisions as the history lists them: those of the latest ending first.

use jiff::Timestamp;
use preclinical_core::{
    choice::{Level, Ruling},
    decision::{Decision, Judged},
    delivery::Delivery,
    id::{EventId, OrganizationId, RunId, WebhookId},
    port::Page,
    webhook::DisabledReason,
};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};

use super::deliveries;
use crate::{
    candidates,
    intake::deciding::{self, Decided},
    row::{Columns, Id, id, named, time},
};

pub(super) const ENDINGS: &str = "SELECT id, created_at, decisions FROM events WHERE run_id = ?1 ORDER BY generation DESC";

/// What was decided before events had a list.
pub(super) const EARLIER: &str = "SELECT * FROM decisions WHERE run_id = ?1 ORDER BY generation DESC, position";

/// A page of the decisions of a run of the organization. Each time that it became final there were at most as many as levels.
pub(super) fn page(
    connection: &Connection,
    organization: OrganizationId,
    run: RunId,
    page: Page,
) -> rusqlite::Result<(Vec<Decision>, u64)> {
    let endings: Vec<(EventId, Timestamp, Option<Vec<u8>>)> = connection
        .prepare_cached(ENDINGS)?
        .query_map([Id(run)], |row| {
            let mut columns = Columns::of(row);
            Ok((columns.id()?, columns.time()?, columns.value()?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut all = Vec::new();
    for (event, at, list) in &endings {
        if let Some(list) = list {
            all.extend(listed(*event, *at, list)?);
        }
    }
    let earlier = connection.prepare_cached(EARLIER)?.query_map([Id(run)], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    all.extend(earlier);
    let total = all.len() as u64;
    let wanted = all.into_iter().skip(page.offset as usize).take(page.limit as usize);
    let with_delivery = |mut decision: Decision| {
        let event = decision.event_id;
        if let Some(judged) = decision.about.as_mut().filter(|judged| judged.ruling.has_delivery()) {
            judged.delivery = first_delivery(connection, organization, event, judged.webhook_id)?;
        }
        Ok(decision)
    };
    Ok((wanted.map(with_delivery).collect::<rusqlite::Result<_>>()?, total))
}

pub(super) const FIRST_DELIVERY: &str = "SELECT * FROM deliveries INDEXED BY deliveries_of_event \
     WHERE event_id = ?1 AND webhook_id = ?2 AND organization_id = ?3 AND redelivery_of IS NULL ORDER BY created_at, id LIMIT 1";

/// The one that the decision led to; it may be kept for a shorter time.
fn first_delivery(
    connection: &Connection,
    organization: OrganizationId,
    event: EventId,
    webhook: WebhookId,
) -> rusqlite::Result<Option<Delivery>> {
    connection
        .prepare_cached(FIRST_DELIVERY)?
        .query_row(params![Id(event), Id(webhook), Id(organization)], deliveries::read)
        .optional()
}

fn listed(event_id: EventId, decided_at: Timestamp, list: &[u8]) -> rusqlite::Result<Vec<Decision>> {
    let unreadable = |error| rusqlite::Error::FromSqlConversionFailure(2, Type::Blob, Box::new(error));
    let list: Vec<Decided> = serde_json::from_slice(list).map_err(unreadable)?;
    if list.is_empty() {
        return Ok(vec![Decision { event_id, decided_at, about: None }]);
    }
    let about = |decided: Decided| {
        let level = Level::parse(&decided.level).ok_or_else(|| unknown("level"))?;
        let reason = decided.disabled_reason.map(candidates::reason).transpose()?;
        let ruling = ruling(&decided.ruling, reason).ok_or_else(|| unknown("ruling"))?;
        let webhook_id: WebhookId = decided.webhook_id.parse().map_err(|_| unknown("webhook"))?;
        let judged = Judged { level, webhook_id, url: decided.url, ruling, delivery: None };
        Ok(Decision { event_id, decided_at, about: Some(judged) })
    };
    list.into_iter().map(about).collect()
}

fn unknown(what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(2, Type::Blob, format!("unknown {what}").into())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Decision> {
    let webhook: Option<Id<WebhookId>> = row.get("webhook_id")?;
    let about = webhook.map(|webhook| about(row, webhook.0)).transpose()?;
    Ok(Decision { event_id: id(row, "event_id")?, decided_at: time(row, "decided_at")?, about })
}

fn about(row: &Row<'_>, webhook_id: WebhookId) -> rusqlite::Result<Judged> {
    let reason = row.get::<_, Option<String>>("disabled_reason")?.map(candidates::reason).transpose()?;
    Ok(Judged {
        level: named(row, "level", Level::parse)?,
        webhook_id,
        url: row.get("url")?,
        ruling: named(row, "ruling", |name| ruling(name, reason))?,
        delivery: None,
    })
}

fn ruling(name: &str, reason: Option<DisabledReason>) -> Option<Ruling> {
    match name {
        deciding::SENT => Some(Ruling::Sent),
        deciding::DISABLED => Some(Ruling::Disabled(reason)),
        deciding::OVERRIDDEN => Some(Ruling::Overridden),
        _ => None,
    }
}
