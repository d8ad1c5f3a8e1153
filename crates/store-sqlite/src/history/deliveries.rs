//! Deliveries as the history lists them.

use std::cmp::Reverse;

use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    event::EventKind,
    id::{AgentId, DeliveryId, OrganizationId, RunId, WebhookId},
    port::{DeliveryCursor, DeliveryFilter, DeliveryPage},
    run::RunNumber,
};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::{
    ranges::{Range, Scope, ranges},
    search::{self, Found},
};
use crate::row::{Columns, Id, Time, id, maybe_id, maybe_time, named, time};

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
    sql: String,
    parameters: Vec<(&'static str, Box<dyn ToSql>)>,
}

impl Conditions {
    /// Deliveries of the organization.
    pub(crate) fn of(organization: OrganizationId) -> Self {
        let sql = "organization_id = :organization".to_owned();
        Self { sql, parameters: vec![(":organization", Box::new(Id(organization)))] }
    }

    /// Where the rows of a range come from. Without statistics SQLite may read all of an organization's history to find those of one webhook.
    pub(crate) fn source(&self, range: &Range) -> String {
        let Range { index, condition, .. } = range;
        format!("deliveries INDEXED BY {index} WHERE {condition} AND {}", self.sql)
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

    pub(crate) fn parameters<'a>(&'a self, range: &'a Range) -> Vec<(&'a str, &'a dyn ToSql)> {
        let within = range.within.as_ref().map(|id| (":within", id as &dyn ToSql));
        self.parameters.iter().map(|(name, value)| (*name, &**value)).chain(within).collect()
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
    let mut positions = Vec::new();
    for range in ranges(connection, &scope(filter, found))? {
        connection
            .prepare_cached(&newest_first(&conditions, &range))?
            .query_map(conditions.parameters(&range).as_slice(), position)?
            .try_for_each(|position| position.map(|position| positions.push(position)))?;
    }
    positions.sort_unstable_by_key(|position| Reverse((position.created_at, position.id)));
    let limit = filter.limit as usize;
    let more = positions.len() > limit;
    positions.truncate(limit);
    let next = positions.last().copied().filter(|_| more);
    let deliveries = positions.iter().map(|position| {
        connection.prepare_cached("SELECT * FROM deliveries WHERE id = ?1")?.query_row([Id(position.id)], read)
    });
    Ok(DeliveryPage { deliveries: deliveries.collect::<rusqlite::Result<_>>()?, next })
}

/// Where a row stands in a list, by its first two columns.
pub(crate) fn position(row: &Row<'_>) -> rusqlite::Result<DeliveryCursor> {
    let mut columns = Columns::of(row);
    Ok(DeliveryCursor { created_at: columns.time()?, id: columns.id()? })
}

/// The positions of a page, as far as they are in that range. What an index knows is asked before a row is read.
pub(super) fn newest_first(conditions: &Conditions, range: &Range) -> String {
    format!("SELECT created_at, id FROM {} ORDER BY created_at DESC, id DESC LIMIT :limit", conditions.source(range))
}

/// What an index can know of a filter.
pub(super) fn scope(filter: &DeliveryFilter, found: Option<Found>) -> Scope {
    let DeliveryFilter { status, webhook_id: webhook, agent_id: agent, run_id: run, .. } = *filter;
    let scope = Scope { status, webhook, agent, run, event: None, delivery: None };
    match found {
        None => scope,
        Some(Found::Delivery(id)) => Scope { delivery: Some(id), ..scope },
        Some(Found::Event(id)) => Scope { event: Some(id), ..scope },
        Some(Found::Run(id)) => Scope { run: Some(RunId::from_uuid(id)), ..scope },
        Some(Found::Webhook(id)) => Scope { webhook: Some(WebhookId::from_uuid(id)), ..scope },
        Some(Found::Agent(id)) => Scope { agent: Some(AgentId::from_uuid(id)), ..scope },
    }
}

pub(super) fn conditions(organization: OrganizationId, filter: &DeliveryFilter, found: Option<Found>) -> Conditions {
    let mut conditions = Conditions::of(organization);
    conditions.in_status(filter.status);
    conditions.and("webhook_id = :webhook", ":webhook", filter.webhook_id.map(Id));
    conditions.and("agent_id = :agent", ":agent", filter.agent_id.map(Id));
    conditions.and("run_id = :run", ":run", filter.run_id.map(Id));
    if let Some(found) = found {
        conditions.and(&format!("{} = :found", found.column()), ":found", Some(found.id().as_bytes().to_vec()));
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
