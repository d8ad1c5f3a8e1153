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
        // Under a lease, or after one that ended with nobody telling, the next attempt is this one.
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

    /// Adds a condition on the status. It stands there as it is: a parameter does not lead to an index of some statuses.
    pub(crate) fn in_status(&mut self, status: Option<DeliveryStatus>) {
        if let Some(status) = status {
            self.and_also(&format!("status = '{}'", status.as_str()));
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
        .prepare_cached(&format!(
            "SELECT delivery.* FROM ({}) page CROSS JOIN deliveries delivery ON delivery.id = page.id \
             ORDER BY delivery.created_at DESC, delivery.id DESC",
            newest_first(&conditions)
        ))?
        .query_map(conditions.parameters().as_slice(), read)?
        .collect::<rusqlite::Result<Vec<Delivery>>>()?;
    let limit = filter.limit as usize;
    let more = deliveries.len() > limit;
    deliveries.truncate(limit);
    let last = deliveries.last().filter(|_| more);
    let next = last.map(|last| DeliveryCursor { created_at: last.created_at, id: last.id });
    Ok(DeliveryPage { deliveries, next })
}

/// The ids of a page. What an index knows is asked before a row is read.
pub(super) fn newest_first(conditions: &Conditions) -> String {
    format!("SELECT id FROM {} ORDER BY created_at DESC, id DESC LIMIT :limit", conditions.source())
}

pub(super) fn conditions(organization: OrganizationId, filter: &DeliveryFilter, found: Option<Found>) -> Conditions {
    let is_found = |column| found.is_some_and(|found| found.column == column);
    let of_webhook = filter.webhook_id.is_some() || is_found("webhook_id");
    let of_agent = filter.agent_id.is_some() || is_found("agent_id");
    let index = match found {
        Some(found) if !is_found("webhook_id") && !is_found("agent_id") => found.index,
        _ => index(filter.status, filter.run_id.is_some(), of_webhook, of_agent),
    };
    let mut conditions = Conditions::of(organization, index);
    conditions.in_status(filter.status);
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

/// The index that leaves the fewest rows over. Most deliveries are delivered.
pub(crate) fn index(status: Option<DeliveryStatus>, of_run: bool, of_webhook: bool, of_agent: bool) -> &'static str {
    use DeliveryStatus::{Canceled, Delivered, Failed, Pending};
    match (of_run, status, of_webhook, of_agent) {
        (true, ..) => "deliveries_of_run",
        (_, Some(Failed | Canceled), true, _) => "deliveries_lost_of_webhook",
        (_, Some(Failed | Canceled), _, true) => "deliveries_lost_of_agent",
        (_, Some(Pending), ..) | (_, Some(_), false, false) => "deliveries_by_status",
        (_, Some(Delivered) | None, true, true) => "deliveries_of_webhook_and_agent",
        (_, Some(Delivered) | None, true, false) => "deliveries_of_webhook",
        (_, Some(Delivered) | None, false, true) => "deliveries_of_agent",
        (_, None, false, false) => "deliveries_newest",
    }
}
