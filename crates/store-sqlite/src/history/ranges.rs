//! Where in the indexes of deliveries the rows of a list lie.
//!
//! Each index costs every webhook an entry, so there are no more than it takes: some lists are read from several ranges at once, and what is
//! under way is found among all that is, until its entries are written where they will stay.

use preclinical_core::{
    delivery::DeliveryStatus,
    id::{AgentId, EventId, RunId, WebhookId},
};
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::row::{Id, id};

/// What restricts a list so that an index can know of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) status: Option<DeliveryStatus>,
    pub(crate) webhook: Option<WebhookId>,
    pub(crate) agent: Option<AgentId>,
    pub(crate) run: Option<RunId>,
    pub(crate) event: Option<Uuid>,
    pub(crate) delivery: Option<Uuid>,
}

/// Rows that follow on each other in an index, in the order of their creation unless there are but few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) index: &'static str,
    /// Holds for these alone; together with what the list is restricted to it is what the index is searched for.
    pub(crate) condition: &'static str,
    /// The value of `:within`, if the condition names it.
    pub(crate) within: Option<uuid::Bytes>,
}

/// These are in the order in which their leases end, but there are no more of them than places.
const UNDER_WAY: Range = Range::all("deliveries_leased", "lease_until IS NOT NULL AND status = 'pending'");

/// What waits for a webhook, in the order in which it is due.
const WAITING: Range = Range::all("deliveries_waiting", "due_at IS NOT NULL AND status = 'pending'");

/// As many rows are sorted for a list, rather than passing over all that waits for other webhooks.
const FEW: u32 = 1000;

/// Whether no more than [`FEW`] deliveries wait for the webhook.
pub(super) const WAITS_FOR_FEW: &str = "SELECT count(*) <= ?2 FROM (SELECT 1 FROM deliveries INDEXED BY deliveries_waiting \
     WHERE due_at IS NOT NULL AND organization_id = (SELECT organization_id FROM webhooks WHERE id = ?1) AND webhook_id = ?1 \
     LIMIT ?2 + 1)";

impl Range {
    const fn all(index: &'static str, condition: &'static str) -> Self {
        Self { index, condition, within: None }
    }

    const fn within(index: &'static str, condition: &'static str, id: Uuid) -> Self {
        Self { index, condition, within: Some(*id.as_bytes()) }
    }
}

/// The ranges that hold all rows of that scope, none of them twice, and as few others as may be. Most deliveries are delivered.
pub(crate) fn ranges(connection: &Connection, scope: &Scope) -> rusqlite::Result<Vec<Range>> {
    use DeliveryStatus::{Canceled, Failed, Pending};
    if let Some(delivery) = scope.delivery {
        return Ok(vec![Range::within("sqlite_autoindex_deliveries_1", "id = :within", delivery)]);
    }
    if let Some(event) = scope.event {
        return Ok(vec![of_event(event)]);
    }
    if let Some(run) = scope.run {
        return Ok(events(connection, run)?.into_iter().map(|event| of_event(event.uuid())).collect());
    }
    Ok(match (scope.status, scope.webhook, scope.agent) {
        (Some(Failed | Canceled), Some(_), _) => vec![Range::all("deliveries_lost_of_webhook", "TRUE")],
        (Some(Failed | Canceled), None, Some(_)) => vec![Range::all("deliveries_lost_of_agent", "TRUE")],
        (Some(Pending), Some(webhook), _) if waits_for_few(connection, webhook)? => vec![WAITING, UNDER_WAY],
        (Some(Pending), ..) => vec![in_status(Pending), UNDER_WAY],
        (Some(status), None, None) => vec![in_status(status)],
        (_, Some(_), Some(_)) => vec![Range::all("deliveries_of_webhook_and_agent", "TRUE")],
        (_, Some(_), None) => vec![Range::all("deliveries_of_webhook", "TRUE")],
        (_, None, Some(_)) => vec![Range::all("deliveries_of_agent", "TRUE")],
        (None, None, None) => DeliveryStatus::ALL.into_iter().map(in_status).chain([UNDER_WAY]).collect(),
    })
}

fn waits_for_few(connection: &Connection, webhook: WebhookId) -> rusqlite::Result<bool> {
    connection.prepare_cached(WAITS_FOR_FEW)?.query_row(params![Id(webhook), FEW], |row| row.get(0))
}

fn of_event(event: Uuid) -> Range {
    Range::within("deliveries_of_event", "event_id = :within", event)
}

fn in_status(status: DeliveryStatus) -> Range {
    let condition = match status {
        DeliveryStatus::Pending => "status = 'pending' AND lease_until IS NULL",
        DeliveryStatus::Delivered => "status = 'delivered' AND lease_until IS NULL",
        DeliveryStatus::Failed => "status = 'failed' AND lease_until IS NULL",
        DeliveryStatus::Canceled => "status = 'canceled' AND lease_until IS NULL",
    };
    Range::all("deliveries_by_status", condition)
}

/// One for each time that the run became final.
fn events(connection: &Connection, run: RunId) -> rusqlite::Result<Vec<EventId>> {
    connection
        .prepare_cached("SELECT id FROM events WHERE run_id = ?1")?
        .query_map([Id(run)], |row| id(row, "id"))?
        .collect()
}
