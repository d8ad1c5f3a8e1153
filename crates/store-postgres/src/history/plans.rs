//! How PostgreSQL goes about the lists of the history: by an index, in its order, whatever is filtered for.
//!
//! Reading a whole table and sorting are ruled out as far as the server can: a plan that still does either shows that there was no
//! other way. Which index it chooses depends on what it knows of the rows, so there are some.

use jiff::Timestamp;
use preclinical_core::{
    delivery::DeliveryStatus,
    id::{AgentId, DeliveryId, OrganizationId, RunId, WebhookId},
    port::{DeliveryCursor, DeliveryFilter},
};
use preclinical_testkit::{
    postgres::{self, Database},
    world::vault,
};
use uuid::Uuid;

use super::{
    decisions,
    deliveries::{conditions, newest_first},
    results,
    search::{self, COLUMNS, Found},
};
use crate::{
    PostgresStore,
    failure::Failure,
    redeliveries::{jobs, recovered},
    row::{Id, Param, Time, get},
    transaction::Transaction,
};

/// When the first of the weeks begins. Whoever asks for plans opens the database then: those depend on how many weeks there are.
pub(crate) const START: &str = "2026-11-02T00:00:00Z";

/// What there is: several of everything, over several weeks and before them.
const ROWS: &str = "
    CREATE FUNCTION id_of(kind BIGINT, number BIGINT, at TIMESTAMPTZ DEFAULT '2026-11-02T00:00:00Z') RETURNS UUID LANGUAGE sql AS $$
      SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(kind), 3, '0')
        || '8' || lpad(to_hex(number), 15, '0'))::uuid
    $$;
    INSERT INTO organizations (id, slug, created_at) SELECT id_of(1, n), n::text, '2026-11-02T00:00:00Z' FROM generate_series(0, 3) n;
    INSERT INTO agents (id, organization_id, provider, name, config, is_active, version, created_at, updated_at)
      SELECT id_of(2, n), id_of(1, n % 4), '', n::text, '', true, 1, '2026-11-02T00:00:00Z', '2026-11-02T00:00:00Z' FROM generate_series(0, 79) n;
    INSERT INTO runs (id, organization_id, number, agent_id, name, status, created_at)
      SELECT id_of(3, n), id_of(1, n % 4), n, id_of(2, n % 80), '', CASE WHEN n % 9 = 0 THEN 'failed' ELSE 'completed' END, '2026-11-02T00:00:00Z'
      FROM generate_series(0, 5999) n;
    INSERT INTO scenario_results (run_id, scenario_id, position, status, content)
      SELECT id_of(3, n % 20), n::text, n, CASE WHEN n % 9 = 0 THEN 'failed' ELSE 'passed' END, '' FROM generate_series(0, 3999) n;
    INSERT INTO events (id, organization_id, kind, run_id, generation, content, created_at)
      SELECT id_of(4, n), id_of(1, n % 4), '', id_of(3, n), 1, '', '2026-11-02T00:00:00Z' FROM generate_series(0, 5999) n;
    INSERT INTO decisions (run_id, generation, position, event_id, ruling, decided_at)
      SELECT id_of(3, n), 1, 0, id_of(4, n), 'no_webhook', '2026-11-02T00:00:00Z' FROM generate_series(0, 5999) n;
    INSERT INTO deliveries (id, organization_id, event_id, kind, webhook_id, agent_id, run_id, url, status, due_at, created_at,
      completed_at, redelivery_of)
      SELECT id_of(6, n, at), id_of(1, n % 4), id_of(4, n), 'test_run_completed', id_of(5, n % 40), id_of(2, n % 80), id_of(3, n), '',
        CASE WHEN n % 50 = 1 THEN 'pending' WHEN n % 50 = 2 THEN 'canceled' WHEN n % 9 = 0 THEN 'failed' ELSE 'delivered' END,
        CASE WHEN n % 50 = 1 THEN at END, at, CASE WHEN n % 50 <> 1 THEN at END, CASE WHEN n % 70 = 0 THEN id_of(6, n) END
      FROM (SELECT n, '2026-10-30T00:00:00Z'::timestamptz + n * interval '6 minutes' AS at FROM generate_series(0, 5999) n) rows;
    INSERT INTO redelivery_jobs (id, organization_id, status, of_status, total, created_at)
      SELECT id_of(7, n), id_of(1, n % 4), CASE WHEN n % 90 = 0 THEN 'running' ELSE 'completed' END, 'failed', 1, '2026-11-02T00:00:00Z'
      FROM generate_series(0, 999) n;
    ANALYZE";

/// The id of that kind and number, as above.
pub(crate) fn id(kind: u128, number: u128) -> Uuid {
    let at: Timestamp = START.parse().unwrap();
    let milliseconds = u128::from(at.as_millisecond().unsigned_abs());
    Uuid::from_u128(milliseconds << 80 | 7 << 76 | kind << 64 | 8 << 60 | number)
}

pub(crate) fn organization() -> OrganizationId {
    OrganizationId::from_uuid(id(1, 0))
}

pub(crate) fn agent() -> AgentId {
    AgentId::from_uuid(id(2, 0))
}

pub(crate) fn run() -> RunId {
    RunId::from_uuid(id(3, 0))
}

pub(crate) fn webhook() -> WebhookId {
    WebhookId::from_uuid(id(5, 0))
}

/// A database of which plans can be asked.
pub(crate) struct Planner {
    store: PostgresStore,
    _database: Database,
}

impl Planner {
    /// `None` if there is no PostgreSQL, knowingly.
    pub(crate) async fn new() -> Option<Self> {
        let open =
            async |url: &str| PostgresStore::open(&url.parse().unwrap(), vault(), START.parse().unwrap()).await.unwrap();
        let database = postgres::fresh(async |url| drop(open(url).await)).await?;
        let store = open(&database.url).await;
        let transaction = Transaction::begin(store.0.writers.connections.get().await.unwrap(), crate::Turn::Free);
        transaction.batch(ROWS).await.unwrap();
        transaction.commit().await.unwrap();
        Some(Self { store, _database: database })
    }

    /// The names of the indexes that are read, each once. It is an error to read otherwise, or to sort.
    pub(crate) async fn indexes(&self, sql: &str, parameters: &[&dyn Param]) -> Vec<String> {
        let plan = self.plan(sql, parameters).await;
        let is_bad = |line: &String| ["Sort  (", "Seq Scan", "Bitmap"].iter().any(|step| line.contains(step));
        assert!(!plan.iter().any(is_bad), "{sql}: {plan:#?}");
        let mut indexes = Vec::new();
        for line in &plan {
            let name = line.split_once(" using ").map(|(_, rest)| rest.split_whitespace().next().unwrap_or_default());
            let Some(name) = name else { continue };
            let of_all = self.of_all(name).await.unwrap();
            if !indexes.contains(&of_all) {
                indexes.push(of_all);
            }
        }
        indexes
    }

    /// The lines of the plan.
    pub(crate) async fn plan(&self, sql: &str, parameters: &[&dyn Param]) -> Vec<String> {
        let sql = &format!("EXPLAIN {sql}");
        let plan = self.store.read(|transaction| {
            Box::pin(async move {
                let last_resorts = ["seqscan", "bitmapscan", "sort", "incremental_sort"];
                let off = last_resorts.map(|kind| format!("SET LOCAL enable_{kind} = off")).join("; ");
                transaction.batch(&off).await?;
                transaction.rows(sql, parameters).await?.iter().map(|row| get(row, "QUERY PLAN")).collect()
            })
        });
        plan.await.unwrap()
    }

    /// The index of the whole table that this one of a part belongs to, or itself.
    async fn of_all(&self, name: &str) -> Result<String, Failure> {
        let sql =
            "SELECT coalesce(max(inhparent::regclass::text), $1) AS name FROM pg_inherits WHERE inhrelid = to_regclass($1)";
        let transaction = Transaction::begin(self.store.0.readers.get().await?, crate::Turn::Reading);
        let row = transaction.row(sql, &[&name]).await?;
        transaction.roll_back().await?;
        get(&row.unwrap(), "name")
    }

    async fn page(&self, filter: &DeliveryFilter, found: Option<Found>) -> Vec<String> {
        let mut conditions = conditions(organization(), filter, found);
        let sql = newest_first(&mut conditions, 50);
        self.indexes(&sql, &conditions.parameters()).await
    }
}

type Set = fn(&mut DeliveryFilter);

/// Every filter there is: its index, and how it is set.
const FILTERS: [(&str, Set); 7] = [
    ("by_status", |filter| filter.status = Some(DeliveryStatus::Failed)),
    ("of_webhook", |filter| filter.webhook_id = Some(webhook())),
    ("of_agent", |filter| filter.agent_id = Some(agent())),
    ("of_run", |filter| filter.run_id = Some(run())),
    ("newest", |filter| filter.created_after = Some(START.parse().unwrap())),
    ("newest", |filter| filter.created_before = Some("2026-11-16T00:00:00Z".parse().unwrap())),
    ("newest", |filter| {
        let id = DeliveryId::from_uuid(Uuid::nil());
        filter.cursor = Some(DeliveryCursor { created_at: "2026-11-16T00:00:00Z".parse().unwrap(), id });
    }),
];

#[tokio::test]
async fn every_filter_alone_is_served_by_its_own_index_and_in_its_order() {
    let Some(planner) = Planner::new().await else { return };
    for (index, set) in FILTERS {
        let mut filter = DeliveryFilter::default();
        set(&mut filter);
        assert_eq!(planner.page(&filter, None).await, [format!("deliveries_{index}")]);
    }
    assert_eq!(planner.page(&DeliveryFilter::default(), None).await, ["deliveries_newest"]);
}

#[tokio::test]
async fn no_combination_of_filters_is_looked_for_in_all_there_is_or_sorted() {
    let Some(planner) = Planner::new().await else { return };
    for chosen in 0_u32..1 << FILTERS.len() {
        let mut filter = DeliveryFilter::default();
        let named = FILTERS.iter().enumerate().filter(|(bit, _)| chosen & (1 << bit) != 0);
        named.for_each(|(_, (_, set))| set(&mut filter));
        let by_all = planner.page(&filter, None).await.contains(&"deliveries_newest".to_owned());
        let restricts =
            [filter.status.is_some(), filter.webhook_id.is_some(), filter.agent_id.is_some(), filter.run_id.is_some()];
        assert!(!by_all || restricts == [false; 4], "{filter:?}");
    }
}

#[tokio::test]
async fn whatever_a_search_names_is_found_by_an_index() {
    let Some(planner) = Planner::new().await else { return };
    let looks = planner.indexes(&search::owner(), &[&id(6, 0)]).await;
    let each =
        ["deliveries_pkey", "deliveries_of_run", "deliveries_of_webhook", "deliveries_of_agent", "deliveries_of_event"];
    assert_eq!(looks, each);
    // The first is that of one row, which needs no order.
    for ((column, index), kind) in COLUMNS.into_iter().zip(each).zip([6, 3, 5, 2, 4]).skip(1) {
        let found = Found { column, id: id(kind, 0) };
        assert_eq!(planner.page(&DeliveryFilter::default(), Some(found)).await, [index], "{column}");
    }
}

#[tokio::test]
async fn results_of_a_verdict_are_found_and_counted_by_an_index() {
    let Some(planner) = Planner::new().await else { return };
    let by_status = ["scenario_results_by_status"];
    assert_eq!(planner.indexes(results::COUNTS, &[&Id(run())]).await, by_status);
    let found = planner.indexes(results::OF_STATUS, &[&Id(run()), &"failed", &10_i64, &10_i64]).await;
    assert_eq!(found, by_status);
}

#[tokio::test]
async fn decisions_and_bulk_redeliveries_are_listed_by_an_index() {
    let Some(planner) = Planner::new().await else { return };
    let of_run = planner.plan(decisions::OF_RUN, &[&Id(run()), &10_i64, &0_i64]).await;
    assert!(of_run.iter().any(|line| line.contains("using decisions_pkey")), "{of_run:?}");
    let jobs = planner.indexes(jobs::NEWEST, &[&Id(organization()), &10_i64, &0_i64]).await;
    assert_eq!(jobs, ["redelivery_jobs_newest"]);
    let running = planner.indexes(jobs::RUNNING, &[&Some(id(7, 0)), &10_i64]).await;
    assert_eq!(running, ["redelivery_jobs_running", "deliveries_pending_of_job"]);
}

#[tokio::test]
async fn whom_a_replay_is_owed_is_found_without_looking_at_anybody_else() {
    let Some(planner) = Planner::new().await else { return };
    let indexes = planner.indexes(&recovered::first(), &[&3_i64, &Time(Timestamp::UNIX_EPOCH), &8_i64]).await;
    assert_eq!(indexes[0], "webhooks_recovered");
    assert!(indexes.contains(&"deliveries_missed_last".to_owned()), "{indexes:?}");
    assert!(indexes.contains(&"redelivery_jobs_unfinished".to_owned()), "{indexes:?}");
}
