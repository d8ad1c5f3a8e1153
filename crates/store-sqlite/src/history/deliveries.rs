//! Deliveries as the history lists them.

use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    event::EventKind,
    id::{DeliveryId, OrganizationId},
    port::{DeliveryCursor, DeliveryFilter, DeliveryPage},
    run::RunNumber,
};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::search::{self, Found};
use crate::row::{Id, Time, id, maybe_id, maybe_time, named, time};

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Delivery> {
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

/// Conditions on deliveries, with the values of their parameters.
pub(crate) struct Conditions {
    index: &'static str,
    sql: String,
    parameters: Vec<(&'static str, Box<dyn ToSql>)>,
}

impl Conditions {
    /// Deliveries of the organization, read by that index.
    pub(crate) fn of(organization: OrganizationId, index: &'static str) -> Self {
        let sql = "organization_id = :organization".to_owned();
        Self { index, sql, parameters: vec![(":organization", Box::new(Id(organization)))] }
    }

    /// Where the rows come from. Without statistics SQLite may read all of an organization's history to find those of one webhook.
    pub(crate) fn source(&self) -> String {
        format!("deliveries INDEXED BY {} WHERE {}", self.index, self.sql)
    }

    /// Adds a condition if there is a value for its parameter.
    pub(crate) fn and(&mut self, condition: &str, name: &'static str, value: Option<impl ToSql + 'static>) {
        if let Some(value) = value {
            self.and_also(condition);
            self.bind(name, value);
        }
    }

    /// Adds a condition on parameters that are bound otherwise.
    pub(crate) fn and_also(&mut self, condition: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
    }

    /// Binds a parameter that a condition names beside its own.
    pub(crate) fn bind(&mut self, name: &'static str, value: impl ToSql + 'static) {
        self.parameters.push((name, Box::new(value)));
    }

    pub(crate) fn parameters(&self) -> Vec<(&str, &dyn ToSql)> {
        self.parameters.iter().map(|(name, value)| (*name, &**value)).collect()
    }
}

/// A page; one row more than asked for is read, to know whether it is the last.
pub(super) fn page(
    connection: &Connection,
    organization: OrganizationId,
    filter: &DeliveryFilter,
) -> rusqlite::Result<DeliveryPage> {
    let found = match filter.search {
        None => None,
        Some(search) => match search::resolve(connection, organization, search)? {
            None => return Ok(DeliveryPage { deliveries: Vec::new(), next: None }),
            found => found,
        },
    };
    let conditions = conditions(organization, filter, found);
    let mut deliveries = connection
        .prepare_cached(&newest_first(&conditions))?
        .query_map(conditions.parameters().as_slice(), read)?
        .collect::<rusqlite::Result<Vec<Delivery>>>()?;
    let limit = filter.limit as usize;
    let more = deliveries.len() > limit;
    deliveries.truncate(limit);
    let last = deliveries.last().filter(|_| more);
    let next = last.map(|last| DeliveryCursor { created_at: last.created_at, id: last.id });
    Ok(DeliveryPage { deliveries, next })
}

pub(super) fn newest_first(conditions: &Conditions) -> String {
    format!("SELECT * FROM {} ORDER BY created_at DESC, id DESC LIMIT :limit", conditions.source())
}

pub(super) fn conditions(organization: OrganizationId, filter: &DeliveryFilter, found: Option<Found>) -> Conditions {
    let index = match found {
        Some(found) => found.index,
        None => index(filter.status, filter.run_id.is_some(), filter.webhook_id.is_some(), filter.agent_id.is_some()),
    };
    let mut conditions = Conditions::of(organization, index);
    conditions.and("status = :status", ":status", filter.status.map(DeliveryStatus::as_str));
    conditions.and("webhook_id = :webhook", ":webhook", filter.webhook_id.map(Id));
    conditions.and("agent_id = :agent", ":agent", filter.agent_id.map(Id));
    conditions.and("run_id = :run", ":run", filter.run_id.map(Id));
    if let Some(found) = found {
        conditions.and(&format!("{} = :found", found.column), ":found", Some(found.id.as_bytes().to_vec()));
    }
    conditions.and("created_at >= :after", ":after", filter.created_after.map(Time));
    conditions.and("created_at < :before", ":before", filter.created_before.map(Time));
    if let Some(cursor) = filter.cursor {
        conditions.and("(created_at, id) < (:cursor_at, :cursor_id)", ":cursor_at", Some(Time(cursor.created_at)));
        conditions.bind(":cursor_id", Id(cursor.id));
    }
    conditions.bind(":limit", filter.limit.saturating_add(1));
    conditions
}

/// The index that leaves the fewest rows over. Most deliveries are delivered: every other status is rarer than a webhook.
pub(crate) fn index(status: Option<DeliveryStatus>, of_run: bool, of_webhook: bool, of_agent: bool) -> &'static str {
    let is_rare = status.is_some_and(|status| status != DeliveryStatus::Delivered);
    match (of_run, is_rare, of_webhook, of_agent, status) {
        (true, ..) => "deliveries_of_run",
        (_, true, ..) => "deliveries_by_status",
        (_, _, true, true, _) => "deliveries_of_webhook_and_agent",
        (_, _, true, ..) => "deliveries_of_webhook",
        (_, _, _, true, _) => "deliveries_of_agent",
        (.., Some(_)) => "deliveries_by_status",
        (.., None) => "deliveries_newest",
    }
}
