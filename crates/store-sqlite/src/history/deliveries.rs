//! Deliveries as the history lists them.

use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    event::EventKind,
    id::{DeliveryId, OrganizationId},
    port::{DeliveryCursor, DeliveryFilter, DeliveryPage},
    run::RunNumber,
};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use crate::row::{Id, Time, id, maybe_id, maybe_time, named, time};

fn read(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        id: id(row, "id")?,
        event: named(row, "kind", EventKind::parse)?,
        status: named(row, "status", DeliveryStatus::parse)?,
        webhook_id: id(row, "webhook_id")?,
        agent_id: maybe_id(row, "agent_id")?,
        run_id: maybe_id(row, "run_id")?,
        run_number: row.get::<_, Option<u32>>("run_number")?.map(RunNumber),
        url: row.get("url")?,
        attempt_count: row.get("attempt_count")?,
        http_status: row.get("http_status")?,
        duration_ms: row.get("duration_ms")?,
        // Under a lease `due_at` is the lease's end, and the next attempt is this one.
        next_attempt_at: match row.get::<_, Option<Vec<u8>>>("lease_token")? {
            None => maybe_time(row, "due_at")?,
            Some(_) => None,
        },
        redelivery_of: maybe_id(row, "redelivery_of")?,
        created_at: time(row, "created_at")?,
        completed_at: maybe_time(row, "completed_at")?,
    })
}

/// The delivery of that id in the organization.
pub(crate) fn find(
    connection: &Connection,
    organization: OrganizationId,
    id: DeliveryId,
) -> rusqlite::Result<Option<Delivery>> {
    connection
        .prepare_cached("SELECT * FROM deliveries WHERE id = ?1 AND organization_id = ?2")?
        .query_row(params![Id(id), Id(organization)], read)
        .optional()
}

/// A page; one row more than asked for is read, to know whether it is the last.
pub(super) fn page(
    connection: &Connection,
    organization: OrganizationId,
    filter: &DeliveryFilter,
) -> rusqlite::Result<DeliveryPage> {
    let mut sql = String::from("SELECT * FROM deliveries WHERE organization_id = :organization");
    let mut parameters: Vec<(&str, Box<dyn ToSql>)> = vec![(":organization", Box::new(Id(organization)))];
    let mut restrict = |condition: &str, name: &'static str, value: Option<Box<dyn ToSql>>| {
        if let Some(value) = value {
            sql.push_str(" AND ");
            sql.push_str(condition);
            parameters.push((name, value));
        }
    };
    restrict("status = :status", ":status", filter.status.map(|status| Box::new(status.as_str()) as _));
    restrict("webhook_id = :webhook", ":webhook", filter.webhook_id.map(|id| Box::new(Id(id)) as _));
    restrict("agent_id = :agent", ":agent", filter.agent_id.map(|id| Box::new(Id(id)) as _));
    restrict("run_id = :run", ":run", filter.run_id.map(|id| Box::new(Id(id)) as _));
    restrict("created_at >= :after", ":after", filter.created_after.map(|at| Box::new(Time(at)) as _));
    restrict("created_at < :before", ":before", filter.created_before.map(|at| Box::new(Time(at)) as _));
    if let Some(cursor) = filter.cursor {
        sql.push_str(" AND (created_at, id) < (:cursor_at, :cursor_id)");
        parameters.push((":cursor_at", Box::new(Time(cursor.created_at))));
        parameters.push((":cursor_id", Box::new(Id(cursor.id))));
    }
    sql.push_str(" ORDER BY created_at DESC, id DESC LIMIT :limit");
    parameters.push((":limit", Box::new(filter.limit.saturating_add(1))));

    let parameters: Vec<(&str, &dyn ToSql)> = parameters.iter().map(|(name, value)| (*name, &**value)).collect();
    let mut deliveries = connection
        .prepare_cached(&sql)?
        .query_map(parameters.as_slice(), read)?
        .collect::<rusqlite::Result<Vec<Delivery>>>()?;
    let limit = filter.limit as usize;
    let more = deliveries.len() > limit;
    deliveries.truncate(limit);
    let last = deliveries.last().filter(|_| more);
    let next = last.map(|last| DeliveryCursor { created_at: last.created_at, id: last.id });
    Ok(DeliveryPage { deliveries, next })
}
