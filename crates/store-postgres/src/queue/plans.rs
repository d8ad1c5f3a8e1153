//! How PostgreSQL goes about the queue: however much waits or has ended, it looks at nothing else than what is wanted.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use preclinical_core::{
    id::{DeliveryId, LeaseToken},
    port::DeliveryQueue,
    retry::NextStep,
};
use preclinical_testkit::{
    postgres::{self, Database},
    world::{World, answered, message, unreachable, vault},
};
use uuid::Uuid;

use super::{
    NEXT_DUE, Turns,
    canceling::{BOUND, FIRST, LATER, canceled, locked},
    claim::{self, OLDEST, STARTED, WANTED},
    recording::{ENDED, LOCKED, MOVED_ON, record_all},
    turns::{ORGANIZATIONS, TURNS},
};
use crate::{
    PostgresStore,
    history::plans::{Planner, START, id, organization, webhook},
    row::{Id, Param, Time, get, number},
    transaction::{Transaction, Turn},
};

/// When what there is has been due for long.
const NOW: &str = "2026-01-30T11:30:00Z";

/// Many more of everything in the same week and behind what there is: due, and not yet; and a webhook for each.
const MORE: &str = "
    CREATE TEMPORARY TABLE many ON COMMIT DROP AS
      SELECT (left(delivery.id::text, 24) || lpad(to_hex(n), 12, '0'))::uuid AS id, gen_random_uuid() AS webhook, delivery.organization_id,
        delivery.created_at + n % 2 * interval '1 day' + n * interval '1 ms' AS due_at
      FROM (SELECT * FROM deliveries ORDER BY id LIMIT 1) delivery, generate_series(1, 4000) n;
    INSERT INTO agents (id, organization_id, provider, name, config, is_active, version, created_at, updated_at)
      SELECT webhook, organization_id, '', webhook::text, '', true, 1, due_at, due_at FROM many;
    INSERT INTO webhooks (id, organization_id, agent_id, url, is_enabled, version, created_at, updated_at)
      SELECT webhook, organization_id, webhook, '', true, 1, due_at, due_at FROM many;
    INSERT INTO webhook_health (webhook_id) SELECT id FROM webhooks ON CONFLICT DO NOTHING;
    INSERT INTO events (id, organization_id, kind, content, created_at) SELECT id, organization_id, 'test', '', due_at FROM many;
    INSERT INTO deliveries (id, organization_id, event_id, kind, webhook_id, url, status, due_at, created_at)
      SELECT id, organization_id, id, 'test_run_completed', webhook, '', 'pending', due_at, due_at FROM many;
    INSERT INTO attempts (delivery_id, number, started_at) SELECT id, 1, due_at FROM many;
    INSERT INTO messages (delivery_id, number, direction, headers, body, size_bytes, truncated)
      SELECT id, 1, 'request', '', '', 0, false FROM many";

/// How many rows this transaction has read so far.
const READ: &str = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint AS rows FROM pg_stat_xact_user_tables \
     WHERE relname ~ '^(deliveries|attempts|messages|events|webhooks|webhook_health|nodes)'";

/// The parts of deliveries in which this connection has looked for anything so far.
const LOOKED_IN: &str = "SELECT relname::text AS name FROM pg_stat_xact_user_tables \
     WHERE relname ~ '^deliveries_' AND seq_scan + idx_scan > 0 ORDER BY relname";

/// More than an attempt has to read, and far fewer than there are of any.
const FEW: i64 = 30;

/// A store with deliveries that are due.
async fn busy(deliveries: usize) -> Option<(Database, PostgresStore, World)> {
    let open = async |url: &str| PostgresStore::open(&url.parse().unwrap(), vault(), START.parse().unwrap()).await.unwrap();
    let database = postgres::fresh(async |url| drop(open(url).await)).await?;
    let store = open(&database.url).await;
    let world = World::new(Arc::new(store.clone()), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    for _ in 0..deliveries {
        let run = world.run(agent, None).await.id;
        world.complete(run, None).await.unwrap();
    }
    Some((database, store, world))
}

#[tokio::test]
async fn however_much_there_is_claiming_and_recording_read_what_belongs_to_them() {
    let Some((_database, store, world)) = busy(9).await else { return };
    let transaction = Transaction::begin(store.0.queue.connections.get().await.unwrap(), Turn::Free);
    let read = async || number::<i64>(&transaction.row(READ, &[]).await.unwrap().unwrap(), "rows").unwrap();
    let (turns, later) = (Mutex::<Turns>::default(), NOW.parse().unwrap());
    let claim_and_record = async |nth: usize| {
        let before = read().await;
        let claimed = claim::due(&transaction, store.holder(), later, &*world.leases(1), &turns).await.unwrap();
        let [claimed] = &claimed[..] else { panic!("{claimed:?}") };
        let claiming = read().await - before;
        let retry = NextStep::RetryAt(Timestamp::MAX);
        let (outcome, next) =
            if nth.is_multiple_of(2) { (answered(200), NextStep::Delivered) } else { (unreachable(), retry) };
        let mut record = world.record(claimed, outcome, next);
        record.request = Some(message(&[], b"{}"));
        assert_eq!(record_all(&transaction, &[&record]).await.unwrap().held, [true]);
        [claiming, read().await - before - claiming]
    };
    // The server knows of how few there are.
    transaction.batch("ANALYZE deliveries, attempts, messages, events, webhooks, webhook_health, nodes").await.unwrap();
    for nth in 0..7 {
        claim_and_record(nth).await;
    }
    transaction.batch(MORE).await.unwrap();
    for nth in 7..9 {
        let counts = claim_and_record(nth).await;
        assert!(counts.iter().all(|count| (1..FEW).contains(count)), "{counts:?} rows");
    }
    // Also behind a place.
    let behind = transaction.row("SELECT due_at FROM many ORDER BY due_at LIMIT 1 OFFSET 1000", &[]).await.unwrap().unwrap();
    let (behind, before): (Time, _) = (get(&behind, "due_at").unwrap(), read().await);
    let parameters: [&dyn Param; 5] = [&Time(later), &2_i64, &None::<Uuid>, &Some(behind), &Some(Uuid::max())];
    assert_eq!(transaction.rows(OLDEST, &parameters).await.unwrap().len(), 2);
    let count = read().await - before;
    assert!((1..FEW).contains(&count), "{count} rows");
}

#[tokio::test]
async fn what_is_sent_is_looked_for_in_its_part_alone() {
    let Some((_database, store, world)) = busy(2).await else { return };
    let claimed = store.claim_due(NOW.parse().unwrap(), world.leases(2)).await.unwrap();
    let ids: Vec<_> = claimed.iter().map(|claimed| Id(claimed.delivery_id)).collect();
    // On a connection that has looked for nothing else.
    let transaction = Transaction::begin(store.0.readers.get().await.unwrap(), Turn::Free);
    assert_eq!(transaction.rows(WANTED, &[&ids]).await.unwrap().len(), 2);
    let looked_in = transaction.rows(LOOKED_IN, &[]).await.unwrap();
    let looked_in: Vec<String> = looked_in.iter().map(|row| get(row, "name").unwrap()).collect();
    assert_eq!(looked_in, ["deliveries_other"]);
}

#[tokio::test]
async fn what_is_due_next_is_found_by_an_index_and_in_its_order() {
    let Some(planner) = Planner::new().await else { return };
    assert_eq!(planner.indexes(NEXT_DUE, &[&None::<Uuid>]).await, ["deliveries_due", "nodes_pkey"]);
}

#[tokio::test]
async fn going_on_to_the_next_one_reads_nothing_that_waits_before_it() {
    let Some(planner) = Planner::new().await else { return };
    let (nil, none) = (Uuid::nil(), None::<Uuid>);
    assert_eq!(planner.indexes(ORGANIZATIONS, &[&nil, &16_i64]).await, ["deliveries_waiting"]);
    let (organizations, webhooks) = (vec![Id(organization())], vec![Id(webhook())]);
    let plan = planner.plan(TURNS, &[&organizations, &webhooks, &8_i64, &8_i64, &Time(Timestamp::MAX), &none]).await;
    let scans = |table: &str| plan.iter().filter(|line| line.contains(table) && line.contains("Scan")).count();
    let by_index = |table: &str| plan.iter().filter(|line| line.contains("Index") && line.contains(table)).count();
    assert_eq!(scans(" on deliveries"), by_index("_organization_id_webhook_id_due_at_idx on deliveries"), "{plan:#?}");
}

#[tokio::test]
async fn what_a_webhook_still_has_to_send_is_found_without_its_history() {
    let Some(planner) = Planner::new().await else { return };
    let of_webhook = ["deliveries_pending_of_webhook"];
    let (webhook, from, before) = (&Id(webhook()), &Uuid::nil(), &Uuid::max());
    assert_eq!(planner.indexes(BOUND, &[webhook, from, &1000_i64]).await, of_webhook);
    for part in [FIRST, LATER] {
        assert_eq!(planner.indexes(&locked(part), &[webhook, before, from]).await, of_webhook);
        let mut indexes = planner.indexes(&canceled(part), &[webhook, before, from, &Time(Timestamp::MAX)]).await;
        // The other one says whether we have disabled the webhook.
        indexes.retain(|index| !index.starts_with("webhooks_"));
        assert_eq!(indexes, of_webhook);
    }
}

#[tokio::test]
async fn what_is_claimed_or_recorded_is_looked_for_in_its_weeks_alone() {
    let Some(planner) = Planner::new().await else { return };
    let ids = vec![Id(DeliveryId::from_uuid(id(6, 0))), Id(DeliveryId::from_uuid(id(6, 1)))];
    let (numbers, tokens, times) =
        (vec![1_i64, 1], vec![Id(LeaseToken::from_uuid(Uuid::nil())); 2], vec![Time(Timestamp::MAX); 2]);
    let flags = vec![false, true];
    let (texts, maybe_number) = (vec!["", ""], vec![None::<i64>, None]);
    let (maybe_text, maybe_time) = (vec![None::<String>, None], vec![None::<Time>, None]);
    let none = None::<Uuid>;
    let statements: [(&str, Vec<&dyn Param>); 4] = [
        (STARTED, vec![&ids, &numbers, &tokens, &times, &texts, &times[0], &none]),
        (LOCKED, vec![&ids]),
        (
            ENDED,
            vec![
                &ids,
                &numbers,
                &numbers,
                &maybe_number,
                &maybe_text,
                &maybe_text,
                &maybe_number,
                &maybe_number,
                &maybe_number,
                &maybe_number,
            ],
        ),
        (MOVED_ON, vec![&ids, &texts, &maybe_time, &maybe_time, &maybe_number, &numbers, &numbers, &flags]),
    ];
    for (sql, parameters) in statements {
        let plan = planner.plan(sql, &parameters).await;
        let names = |part: &str| plan.iter().any(|line| line.contains(part));
        assert!(names("_20261102") && !names("_20261109") && !names("_other"), "{plan:#?}");
    }
}
