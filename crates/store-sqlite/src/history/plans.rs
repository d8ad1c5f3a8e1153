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
    decisions::{EARLIER, ENDINGS, FIRST_DELIVERY},
    deliveries::{conditions, newest_first, scope},
    ranges::{Range, WAITS_FOR_FEW, ranges},
    results,
    search::{Found, OWNERS},
};
use crate::{connection::keep_plans, migrations};

pub(crate) fn database() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    keep_plans(&connection).unwrap();
    migrations::run(&mut connection).unwrap();
    connection
}

fn explained(connection: &Connection, sql: &str, parameters: &[(&str, &dyn ToSql)]) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = statement.query_map(parameters, |row| row.get("detail")).unwrap();
    steps.collect::<rusqlite::Result<_>>().unwrap()
}

/// The steps of the plan. None may read a table from end to end or sort what it found.
pub(crate) fn plan(connection: &Connection, sql: &str, parameters: &[(&str, &dyn ToSql)]) -> Vec<String> {
    let steps = explained(connection, sql, parameters);
    let is_fine = |step: &String| {
        step.starts_with("SEARCH ") || step.contains("SCALAR SUBQUERY ") || step.starts_with("LIST SUBQUERY ")
    };
    assert!(steps.iter().all(is_fine), "{sql}: {steps:?}");
    steps
}

/// What every list is read from in these tests: an agent's webhook has heard of a run of its, and the organization's of another.
pub(crate) fn with_a_history(connection: &Connection) {
    connection
        .execute_batch(
            "PRAGMA foreign_keys = OFF; \
             INSERT INTO events (id, organization_id, kind, run_id, generation, content, created_at) VALUES \
               (zeroblob(16), x'00', 'test_run_completed', zeroblob(16), 1, x'', 0), \
               (randomblob(16), x'00', 'test_run_completed', zeroblob(16), 2, x'', 0); \
             INSERT INTO deliveries (id, organization_id, event_id, kind, webhook_id, agent_id, url, status, created_at) VALUES \
               (x'01', x'00', x'01', 'test_run_completed', randomblob(16), zeroblob(16), '', 'delivered', 0), \
               (x'02', x'00', x'02', 'test_run_completed', randomblob(16), zeroblob(16), '', 'delivered', 0)",
        )
        .unwrap();
}

/// The indexes that a page is read by.
fn page(filter: &DeliveryFilter, found: Option<Found>) -> Vec<String> {
    let database = database();
    with_a_history(&database);
    page_of(&database, filter, found)
}

/// None of them is read from end to end, and but for what is under way, and a few that wait, nothing is sorted.
fn page_of(database: &Connection, filter: &DeliveryFilter, found: Option<Found>) -> Vec<String> {
    let conditions = conditions(OrganizationId::from_uuid(Uuid::nil()), filter, found);
    let read = |range: &Range| {
        let (sql, parameters) = (newest_first(&conditions, range), conditions.parameters(range));
        let steps = if ["deliveries_leased", "deliveries_waiting"].contains(&range.index) {
            explained(database, &sql, &parameters)
        } else {
            plan(database, &sql, &parameters)
        };
        steps[0].strip_prefix("SEARCH deliveries USING ").unwrap().to_owned()
    };
    ranges(database, &scope(filter, found)).unwrap().iter().map(read).collect()
}

type Set = fn(&mut DeliveryFilter);

/// Every filter there is: what is searched for by it alone, and how it is set.
const FILTERS: [(&[&str], Set); 7] = [
    (&["COVERING INDEX deliveries_by_status (organization_id=? AND status=?)"], |filter| {
        filter.status = Some(DeliveryStatus::Failed);
    }),
    (&["INDEX deliveries_of_webhook (webhook_id=?)"], |filter| filter.webhook_id = Some(WebhookId::from_uuid(Uuid::nil()))),
    (&["INDEX deliveries_of_agent (agent_id=?)"], |filter| filter.agent_id = Some(AgentId::from_uuid(Uuid::nil()))),
    (&["INDEX deliveries_of_event (event_id=?)"; 2], |filter| filter.run_id = Some(RunId::from_uuid(Uuid::nil()))),
    (&ALL_AFTER, |filter| filter.created_after = Some(Timestamp::UNIX_EPOCH)),
    (&ALL_BEFORE, |filter| filter.created_before = Some(Timestamp::UNIX_EPOCH)),
    (&ALL_BEHIND, |filter| {
        let id = DeliveryId::from_uuid(Uuid::nil());
        filter.cursor = Some(DeliveryCursor { created_at: Timestamp::UNIX_EPOCH, id });
    }),
];

const UNDER_WAY: &str = "INDEX deliveries_leased (lease_until>?)";

const fn all(by_status: &'static str) -> [&'static str; 5] {
    [by_status, by_status, by_status, by_status, UNDER_WAY]
}

const ALL: [&str; 5] = all("COVERING INDEX deliveries_by_status (organization_id=? AND status=?)");
const ALL_AFTER: [&str; 5] = all("COVERING INDEX deliveries_by_status (organization_id=? AND status=? AND created_at>?)");
const ALL_BEFORE: [&str; 5] = all("COVERING INDEX deliveries_by_status (organization_id=? AND status=? AND created_at<?)");
const ALL_BEHIND: [&str; 5] =
    all("COVERING INDEX deliveries_by_status (organization_id=? AND status=? AND (created_at,id)<(?,?))");

#[test]
fn every_filter_alone_is_served_by_an_index_and_in_its_order() {
    for (searched, set) in FILTERS {
        let mut filter = DeliveryFilter::default();
        set(&mut filter);
        assert_eq!(page(&filter, None), searched);
    }
    assert_eq!(page(&DeliveryFilter::default(), None), ALL);
}

#[test]
fn no_combination_of_filters_is_looked_for_in_all_there_is_or_sorted() {
    for chosen in 0_u32..1 << FILTERS.len() {
        let mut filter = DeliveryFilter::default();
        let named = FILTERS.iter().enumerate().filter(|(bit, _)| chosen & (1 << bit) != 0);
        named.for_each(|(_, (_, set))| set(&mut filter));
        let restricts =
            [filter.status.is_some(), filter.webhook_id.is_some(), filter.agent_id.is_some(), filter.run_id.is_some()];
        assert!(page(&filter, None).len() < ALL.len() || restricts == [false; 4], "{filter:?}");
    }
}

#[test]
fn what_is_no_part_of_a_list_is_passed_over_in_an_index() {
    use DeliveryStatus::{Canceled, Failed, Pending};
    const OF_WEBHOOK: &str = "COVERING INDEX deliveries_lost_of_webhook (organization_id=? AND webhook_id=? AND status=?)";
    const OF_AGENT: &str = "COVERING INDEX deliveries_lost_of_agent (organization_id=? AND agent_id=? AND status=?)";
    const OF_BOTH: &str = "INDEX deliveries_of_webhook_and_agent (webhook_id=? AND agent_id=?)";
    const WAITING: &str = "INDEX deliveries_waiting (organization_id=? AND webhook_id=? AND due_at>?)";
    let (webhook, agent) = (WebhookId::from_uuid(Uuid::nil()), AgentId::from_uuid(Uuid::nil()));
    for (statuses, webhook_id, agent_id, searched) in [
        (&[Failed, Canceled][..], Some(webhook), None, &[OF_WEBHOOK][..]),
        (&[Failed, Canceled][..], Some(webhook), Some(agent), &[OF_WEBHOOK][..]),
        (&[Failed, Canceled][..], None, Some(agent), &[OF_AGENT][..]),
        (&[Pending][..], Some(webhook), Some(agent), &[WAITING, UNDER_WAY][..]),
        (&[DeliveryStatus::Delivered][..], Some(webhook), Some(agent), &[OF_BOTH][..]),
    ] {
        for status in statuses {
            let filter = DeliveryFilter { status: Some(*status), webhook_id, agent_id, ..DeliveryFilter::default() };
            assert_eq!(page(&filter, None), searched);
        }
    }
}

#[test]
fn where_much_waits_for_a_webhook_it_is_read_in_the_order_of_the_list() {
    let database = database();
    let counted = explained(&database, WAITS_FOR_FEW, &[]);
    assert!(
        counted[1].contains("COVERING INDEX deliveries_waiting (organization_id=? AND webhook_id=? AND due_at>?)"),
        "{counted:?}"
    );
    let write = |number: u32| {
        database
            .execute(
                "INSERT INTO deliveries (id, organization_id, event_id, kind, webhook_id, url, status, created_at, due_at) \
                 VALUES (?1, zeroblob(16), x'01', 'test_run_completed', zeroblob(16), '', 'pending', 0, 0)",
                [number.to_be_bytes()],
            )
            .unwrap();
    };
    database
        .execute_batch(
            "PRAGMA foreign_keys = OFF; \
             INSERT INTO webhooks (id, organization_id, url, is_enabled, version, created_at, updated_at) \
               VALUES (zeroblob(16), zeroblob(16), '', 1, 1, 0, 0)",
        )
        .unwrap();
    let webhook = WebhookId::from_uuid(Uuid::nil());
    let waiting =
        DeliveryFilter { status: Some(DeliveryStatus::Pending), webhook_id: Some(webhook), ..DeliveryFilter::default() };
    (0..1000).for_each(write);
    assert!(page_of(&database, &waiting, None)[0].starts_with("INDEX deliveries_waiting "));
    write(1000);
    assert!(page_of(&database, &waiting, None)[0].starts_with("COVERING INDEX deliveries_by_status "));
}

#[test]
fn whatever_a_search_names_is_found_by_an_index() {
    for (found, owner) in OWNERS {
        plan(&database(), owner, &[]);
        let column = found(Uuid::nil()).column();
        let searched = match column {
            "run_id" => "(event_id=?",
            "id" => "PRIMARY KEY (id=?",
            _ => &format!("({column}=?"),
        };
        let read = page(&DeliveryFilter::default(), Some(found(Uuid::nil())));
        assert!(!read.is_empty() && read.iter().all(|read| read.contains(searched)), "{column}: {read:?}");
    }
    let failed = DeliveryFilter { status: Some(DeliveryStatus::Failed), ..DeliveryFilter::default() };
    for (found, lost) in [(Found::Webhook as fn(_) -> _, "of_webhook"), (Found::Agent, "of_agent")] {
        let read = page(&failed, Some(found(Uuid::nil())));
        assert!(read.len() == 1 && read[0].starts_with(&format!("COVERING INDEX deliveries_lost_{lost} ")), "{read:?}");
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
    let jobs = "SELECT * FROM redelivery_jobs WHERE organization_id = x'00' ORDER BY created_at DESC, id DESC LIMIT 1";
    let running = "SELECT id, (SELECT count(*) FROM deliveries WHERE redelivery_job = job.id AND status = 'pending') AS pending \
                   FROM redelivery_jobs job WHERE status = 'running' AND id > x'' ORDER BY id LIMIT 1";
    for sql in [ENDINGS, EARLIER, FIRST_DELIVERY, jobs, running] {
        plan(&database, sql, &[]);
    }
}
