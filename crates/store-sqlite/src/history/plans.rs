//! How SQLite goes about the lists of the history: by an index, in its order, whatever is filtered for.

use jiff::Timestamp;
use preclinical_core::{
    delivery::DeliveryStatus,
    id::{AgentId, DeliveryId, OrganizationId, RunId, WebhookId},
    port::{DeliveryCursor, DeliveryFilter},
};
use rusqlite::{Connection, ToSql};
use uuid::Uuid;

use super::{
    deliveries::{conditions, newest_first},
    results,
    search::{COLUMNS, Found},
};
use crate::{connection::keep_plans, migrations};

pub(crate) fn database() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    keep_plans(&connection).unwrap();
    migrations::run(&mut connection).unwrap();
    connection
}

/// The steps of the plan. None may read a table from end to end or sort what it found.
pub(crate) fn plan(connection: &Connection, sql: &str, parameters: &[(&str, &dyn ToSql)]) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = statement.query_map(parameters, |row| row.get("detail")).unwrap();
    let steps: Vec<String> = steps.collect::<rusqlite::Result<_>>().unwrap();
    let is_fine = |step: &String| {
        step.starts_with("SEARCH ") || step.contains("SCALAR SUBQUERY ") || step.starts_with("LIST SUBQUERY ")
    };
    assert!(steps.iter().all(is_fine), "{sql}: {steps:?}");
    steps
}

fn page(filter: &DeliveryFilter, found: Option<Found>) -> Vec<String> {
    let conditions = conditions(OrganizationId::from_uuid(Uuid::nil()), filter, found);
    plan(&database(), &newest_first(&conditions), &conditions.parameters())
}

type Set = fn(&mut DeliveryFilter);

/// Every filter there is: its index, and how it is set.
const FILTERS: [(&str, Set); 7] = [
    ("by_status", |filter| filter.status = Some(DeliveryStatus::Failed)),
    ("of_webhook", |filter| filter.webhook_id = Some(WebhookId::from_uuid(Uuid::nil()))),
    ("of_agent", |filter| filter.agent_id = Some(AgentId::from_uuid(Uuid::nil()))),
    ("of_run", |filter| filter.run_id = Some(RunId::from_uuid(Uuid::nil()))),
    ("newest", |filter| filter.created_after = Some(Timestamp::UNIX_EPOCH)),
    ("newest", |filter| filter.created_before = Some(Timestamp::UNIX_EPOCH)),
    ("newest", |filter| {
        let id = DeliveryId::from_uuid(Uuid::nil());
        filter.cursor = Some(DeliveryCursor { created_at: Timestamp::UNIX_EPOCH, id });
    }),
];

#[test]
fn every_filter_alone_is_served_by_its_own_index_and_in_its_order() {
    for (index, set) in FILTERS {
        let mut filter = DeliveryFilter::default();
        set(&mut filter);
        let steps = page(&filter, None);
        assert!(steps.len() == 1 && steps[0].contains(&format!(" INDEX deliveries_{index} ")), "{index}: {steps:?}");
    }
    assert!(page(&DeliveryFilter::default(), None)[0].contains("deliveries_newest"));
}

#[test]
fn no_combination_of_filters_is_looked_for_in_all_there_is_or_sorted() {
    for chosen in 0_u32..1 << FILTERS.len() {
        let mut filter = DeliveryFilter::default();
        let named = FILTERS.iter().enumerate().filter(|(bit, _)| chosen & (1 << bit) != 0);
        named.for_each(|(_, (_, set))| set(&mut filter));
        let by_all = page(&filter, None)[0].contains("deliveries_newest");
        let restricts =
            [filter.status.is_some(), filter.webhook_id.is_some(), filter.agent_id.is_some(), filter.run_id.is_some()];
        assert!(!by_all || restricts == [false; 4], "{filter:?}");
    }
}

#[test]
fn what_is_no_part_of_a_list_is_passed_over_in_an_index() {
    use DeliveryStatus::{Canceled, Failed, Pending};
    let (webhook, agent) = (WebhookId::from_uuid(Uuid::nil()), AgentId::from_uuid(Uuid::nil()));
    for (statuses, webhook_id, agent_id, index) in [
        (
            &[Failed, Canceled][..],
            Some(webhook),
            None,
            "COVERING INDEX deliveries_lost_of_webhook (organization_id=? AND webhook_id=? AND status=?)",
        ),
        (
            &[Failed, Canceled][..],
            Some(webhook),
            Some(agent),
            "COVERING INDEX deliveries_lost_of_webhook (organization_id=? AND webhook_id=? AND status=?)",
        ),
        (
            &[Failed, Canceled][..],
            None,
            Some(agent),
            "COVERING INDEX deliveries_lost_of_agent (organization_id=? AND agent_id=? AND status=?)",
        ),
        (&[Pending][..], Some(webhook), Some(agent), "COVERING INDEX deliveries_by_status (organization_id=? AND status=?)"),
    ] {
        for status in statuses {
            let filter = DeliveryFilter { status: Some(*status), webhook_id, agent_id, ..DeliveryFilter::default() };
            let steps = page(&filter, None);
            assert!(steps.len() == 1 && steps[0].ends_with(index), "{steps:?}");
        }
    }
}

#[test]
fn whatever_a_search_names_is_found_by_an_index() {
    let database = database();
    for (column, index) in COLUMNS {
        let steps = page(&DeliveryFilter::default(), Some(Found { column, index, id: Uuid::nil() }));
        assert!(steps[0].contains(&format!("({column}=?")), "{column}: {steps:?}");
        plan(&database, &format!("SELECT organization_id FROM deliveries WHERE {column} = x'00' LIMIT 1"), &[]);
    }
    let failed = DeliveryFilter { status: Some(DeliveryStatus::Failed), ..DeliveryFilter::default() };
    for (column, lost) in [("webhook_id", "deliveries_lost_of_webhook"), ("agent_id", "deliveries_lost_of_agent")] {
        let (_, index) = COLUMNS.into_iter().find(|(name, _)| *name == column).unwrap();
        let steps = page(&failed, Some(Found { column, index, id: Uuid::nil() }));
        assert!(steps[0].contains(&format!("COVERING INDEX {lost} ")), "{steps:?}");
    }
}

#[test]
fn results_of_a_verdict_are_found_and_counted_by_an_index() {
    let database = database();
    plan(&database, results::COUNTS, &[]);
    let steps = plan(&database, results::OF_STATUS, &[]);
    assert!(steps[0].contains("COVERING INDEX scenario_results_by_status"), "{steps:?}");
}

#[test]
fn decisions_and_bulk_redeliveries_are_listed_by_an_index() {
    let database = database();
    let of_run = "SELECT * FROM decisions WHERE run_id = x'00' ORDER BY generation DESC, position LIMIT 1";
    let jobs = "SELECT * FROM redelivery_jobs WHERE organization_id = x'00' ORDER BY created_at DESC, id DESC LIMIT 1";
    let running = "SELECT id, (SELECT count(*) FROM deliveries WHERE redelivery_job = job.id AND status = 'pending') AS pending \
                   FROM redelivery_jobs job WHERE status = 'running' AND id > x'' ORDER BY id LIMIT 1";
    for sql in [of_run, jobs, running] {
        plan(&database, sql, &[]);
    }
}
