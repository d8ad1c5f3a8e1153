//! Deliveries as the history lists them.

use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    event::EventKind,
    id::{DeliveryId, LeaseToken, OrganizationId},
    port::{DeliveryCursor, DeliveryFilter, DeliveryPage},
    run::RunNumber,
};
use tokio_postgres::Row;

use super::{
    Conditions,
    search::{self, Found},
};
use crate::{
    failure::Failure,
    row::{Id, Time, get, id, maybe_id, maybe_number, maybe_time, named, number, time},
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

/// A page; one row more than asked for is read, to know whether it is the last.
pub(super) async fn page(
    transaction: &Transaction,
    organization: OrganizationId,
    filter: &DeliveryFilter,
) -> Result<DeliveryPage, Failure> {
    let found = match filter.search {
        None => None,
        Some(search) => match search::resolve(transaction, organization, search).await? {
            None => return Ok(DeliveryPage { deliveries: Vec::new(), next: None }),
            found => found,
        },
    };
    let mut conditions = conditions(organization, filter, found);
    let sql = newest_first(&mut conditions, filter.limit);
    let rows = transaction.rows(&sql, &conditions.parameters()).await?;
    let mut deliveries = rows.iter().map(read).collect::<Result<Vec<Delivery>, _>>()?;
    let limit = filter.limit as usize;
    let more = deliveries.len() > limit;
    deliveries.truncate(limit);
    let last = deliveries.last().filter(|_| more);
    let next = last.map(|last| DeliveryCursor { created_at: last.created_at, id: last.id });
    Ok(DeliveryPage { deliveries, next })
}

pub(super) fn newest_first(conditions: &mut Conditions, limit: u32) -> String {
    let limit = conditions.bind(i64::from(limit) + 1);
    format!("SELECT * FROM deliveries WHERE {} ORDER BY created_at DESC, id DESC LIMIT {limit}", conditions.sql())
}

pub(super) fn conditions(organization: OrganizationId, filter: &DeliveryFilter, found: Option<Found>) -> Conditions {
    let mut conditions = Conditions::of(organization);
    conditions.and("status =", filter.status.map(DeliveryStatus::as_str));
    conditions.and("webhook_id =", filter.webhook_id.map(Id));
    conditions.and("agent_id =", filter.agent_id.map(Id));
    conditions.and("run_id =", filter.run_id.map(Id));
    if let Some(found) = found {
        conditions.and(&format!("{} =", found.column), Some(found.id));
    }
    conditions.and("created_at >=", filter.created_after.map(Time));
    conditions.and("created_at <", filter.created_before.map(Time));
    if let Some(cursor) = filter.cursor {
        let (at, id) = (conditions.bind(Time(cursor.created_at)), conditions.bind(Id(cursor.id)));
        conditions.and_also(&format!("(created_at, id) < ({at}, {id})"));
    }
    conditions
}
