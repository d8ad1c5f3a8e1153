//! Deliveries as the history lists them.

use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    event::EventKind,
    id::{DeliveryId, LeaseToken, OrganizationId},
    run::RunNumber,
};
use tokio_postgres::Row;

use crate::{
    failure::Failure,
    row::{Id, get, id, maybe_id, maybe_number, maybe_time, named, number, time},
    transaction::Transaction,
};

pub(crate) fn read(row: &Row) -> Result<Delivery, Failure> {
    Ok(Delivery {
        id: id(row, "id")?,
        event: named(row, "kind", EventKind::parse)?,
        status: named(row, "status", DeliveryStatus::parse)?,
        webhook_id: id(row, "webhook_id")?,
        agent_id: maybe_id(row, "agent_id")?,
        run_id: maybe_id(row, "run_id")?,
        run_number: maybe_number(row, "run_number")?.map(RunNumber),
        url: get(row, "url")?,
        attempt_count: number(row, "attempt_count")?,
        http_status: maybe_number(row, "http_status")?,
        duration_ms: maybe_number(row, "duration_ms")?,
        // Under a lease `due_at` is the lease's end, and the next attempt is this one.
        next_attempt_at: match maybe_id::<LeaseToken>(row, "lease_token")? {
            None => maybe_time(row, "due_at")?,
            Some(_) => None,
        },
        redelivery_of: maybe_id(row, "redelivery_of")?,
        created_at: time(row, "created_at")?,
        completed_at: maybe_time(row, "completed_at")?,
    })
}

/// The delivery of that id in the organization.
pub(crate) async fn find(
    transaction: &Transaction,
    organization: OrganizationId,
    delivery: DeliveryId,
) -> Result<Option<Delivery>, Failure> {
    let sql = "SELECT * FROM deliveries WHERE id = $1 AND organization_id = $2";
    let row = transaction.row(sql, &[&Id(delivery), &Id(organization)]).await?;
    row.as_ref().map(read).transpose()
}

/// The same, and nobody else changes it before this transaction ends.
pub(crate) async fn lock(
    transaction: &Transaction,
    organization: OrganizationId,
    delivery: DeliveryId,
) -> Result<Option<Delivery>, Failure> {
    let sql = "SELECT * FROM deliveries WHERE id = $1 AND organization_id = $2 FOR UPDATE";
    let row = transaction.row(sql, &[&Id(delivery), &Id(organization)]).await?;
    row.as_ref().map(read).transpose()
}
