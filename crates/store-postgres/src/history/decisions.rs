//! Decisions as the history lists them.

use std::collections::HashMap;

use preclinical_core::{
    choice::{Level, Ruling},
    decision::{Decision, Judged},
    delivery::Delivery,
    id::{DeliveryId, OrganizationId, RunId, WebhookId},
    port::Page,
};
use tokio_postgres::Row;

use super::deliveries;
use crate::{
    candidates,
    failure::Failure,
    intake::deciding,
    row::{Id, get, id, maybe_id, named, number, time},
    transaction::Transaction,
};

/// The statement behind [`page`].
pub(super) const OF_RUN: &str =
    "SELECT * FROM decisions WHERE run_id = $1 ORDER BY generation DESC, position LIMIT $2 OFFSET $3";

/// A page of the decisions of a run of the organization.
pub(super) async fn page(
    transaction: &Transaction,
    organization: OrganizationId,
    run: RunId,
    page: Page,
) -> Result<(Vec<Decision>, u64), Failure> {
    let sql = "SELECT count(*) AS total FROM decisions WHERE run_id = $1";
    let total = transaction.row(sql, &[&Id(run)]).await?;
    let total = number(&total.ok_or_else(|| Failure::unreadable("total"))?, "total")?;
    let rows = transaction.rows(OF_RUN, &[&Id(run), &i64::from(page.limit), &i64::from(page.offset)]).await?;
    let mut deliveries = deliveries(transaction, organization, &rows).await?;
    let decisions = rows.iter().map(|row| read(row, &mut deliveries)).collect::<Result<_, _>>()?;
    Ok((decisions, total))
}

/// The deliveries that these decisions led to.
async fn deliveries(
    transaction: &Transaction,
    organization: OrganizationId,
    decisions: &[Row],
) -> Result<HashMap<DeliveryId, Delivery>, Failure> {
    let ids = decisions.iter().filter_map(|row| maybe_id::<DeliveryId>(row, "delivery_id").transpose());
    let ids = ids.map(|id| id.map(Id)).collect::<Result<Vec<_>, _>>()?;
    let sql = "SELECT * FROM deliveries WHERE id = ANY($1) AND organization_id = $2";
    let rows = transaction.rows(sql, &[&ids, &Id(organization)]).await?;
    rows.iter().map(|row| deliveries::read(row).map(|delivery| (delivery.id, delivery))).collect()
}

fn read(row: &Row, deliveries: &mut HashMap<DeliveryId, Delivery>) -> Result<Decision, Failure> {
    let about = match maybe_id::<WebhookId>(row, "webhook_id")? {
        None => None,
        Some(webhook_id) => Some(Judged {
            level: named(row, "level", Level::parse)?,
            webhook_id,
            url: get(row, "url")?,
            ruling: ruling(row)?,
            delivery: maybe_id(row, "delivery_id")?.and_then(|delivery| deliveries.remove(&delivery)),
        }),
    };
    Ok(Decision { event_id: id(row, "event_id")?, decided_at: time(row, "decided_at")?, about })
}

fn ruling(row: &Row) -> Result<Ruling, Failure> {
    let reason = candidates::disabled_reason(row)?;
    named(row, "ruling", |name| match name {
        deciding::SENT => Some(Ruling::Sent),
        deciding::DISABLED => Some(Ruling::Disabled(reason)),
        deciding::OVERRIDDEN => Some(Ruling::Overridden),
        _ => None,
    })
}
