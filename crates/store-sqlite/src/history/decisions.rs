//! Decisions as the history lists them.

use preclinical_core::{
    choice::{Level, Ruling},
    decision::{Decision, Judged},
    id::{DeliveryId, OrganizationId, RunId},
    port::Page,
};
use rusqlite::{Connection, Row, params};

use super::deliveries;
use crate::{
    candidates,
    intake::deciding,
    row::{Id, id, maybe_id, named, time},
};

/// A page of the decisions of a run of the organization.
pub(super) fn page(
    connection: &Connection,
    organization: OrganizationId,
    run: RunId,
    page: Page,
) -> rusqlite::Result<(Vec<Decision>, u64)> {
    let total: i64 = connection
        .prepare_cached("SELECT count(*) FROM decisions WHERE run_id = ?1")?
        .query_row([Id(run)], |row| row.get(0))?;
    let rows: Vec<(Decision, Option<DeliveryId>)> = connection
        .prepare_cached("SELECT * FROM decisions WHERE run_id = ?1 ORDER BY generation DESC, position LIMIT ?2 OFFSET ?3")?
        .query_map(params![Id(run), page.limit, page.offset], |row| Ok((read(row)?, maybe_id(row, "delivery_id")?)))?
        .collect::<rusqlite::Result<_>>()?;
    let with_delivery = |(mut decision, delivery): (Decision, Option<DeliveryId>)| {
        if let (Some(judged), Some(delivery)) = (&mut decision.about, delivery) {
            judged.delivery = deliveries::find(connection, organization, delivery)?;
        }
        Ok(decision)
    };
    Ok((rows.into_iter().map(with_delivery).collect::<rusqlite::Result<_>>()?, total.unsigned_abs()))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Decision> {
    let about = match row.get::<_, Option<Vec<u8>>>("webhook_id")? {
        None => None,
        Some(_) => Some(Judged {
            level: named(row, "level", Level::parse)?,
            webhook_id: id(row, "webhook_id")?,
            url: row.get("url")?,
            ruling: ruling(row)?,
            delivery: None,
        }),
    };
    Ok(Decision { event_id: id(row, "event_id")?, decided_at: time(row, "decided_at")?, about })
}

fn ruling(row: &Row<'_>) -> rusqlite::Result<Ruling> {
    let reason = row.get::<_, Option<String>>("disabled_reason")?.map(candidates::reason).transpose()?;
    named(row, "ruling", |name| match name {
        deciding::SENT => Some(Ruling::Sent),
        deciding::DISABLED => Some(Ruling::Disabled(reason)),
        deciding::OVERRIDDEN => Some(Ruling::Overridden),
        _ => None,
    })
}
