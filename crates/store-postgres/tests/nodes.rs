//! What is particular to a store that several nodes share, and to a server that others run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    delivery::DeliveryStatus,
    port::{Administration, ChangeNumber, Changes, DeliveryQueue, History, RecordError, StoreError, Upkeep, Watch},
    retry::NextStep,
    vault::{MasterKey, Vault},
    webhook::WebhookChanges,
};
use preclinical_store_postgres::{OpenError, PostgresStore};
use preclinical_testkit::{
    chance::SeededChance,
    clock::ManualClock,
    earlier,
    postgres::{self, Database},
    world::{World, answered, message, vault},
};
use tokio_postgres::NoTls;

/// After how long something that should happen has failed to.
const PATIENCE: Duration = Duration::from_secs(20);

async fn open(url: &str) -> PostgresStore {
    let now = preclinical_core::clock::Clock::now(&ManualClock::default());
    PostgresStore::open(&url.parse().unwrap(), vault(), now).await.unwrap()
}

/// An empty database and a store on it; `None` where PostgreSQL was left out.
async fn fresh() -> Option<(PostgresStore, Database)> {
    let database = postgres::fresh(async |url| drop(open(url).await)).await?;
    Some((open(&database.url).await, database))
}

async fn execute(database: &Database, sql: &str) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.unwrap();
    let driving = tokio::spawn(connection);
    let messages = client.simple_query(sql).await.unwrap();
    driving.abort();
    let rows = messages.iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    rows.collect()
}

async fn rings(watch: &mut dyn Watch) {
    tokio::time::timeout(PATIENCE, watch.rung()).await.expect("it does not ring");
}

#[tokio::test]
async fn what_one_node_changes_and_leaves_rings_at_another() {
    let Some((store, database)) = fresh().await else { return };
    let world = World::new(Arc::new(store), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let other = open(&database.url).await;
    let (mut changes, mut work) = (other.watch(world.organization).await.unwrap(), other.watch_work().await.unwrap());
    let run = world.run(agent, None).await.id;
    world.complete(run, None).await.unwrap();
    rings(&mut *work).await;
    rings(&mut *changes).await;
    let read = other.changed_deliveries(world.organization, ChangeNumber(0), 10).await.unwrap();
    assert_eq!(read.len(), 1, "what rang can be read");
}

#[tokio::test]
async fn a_node_that_was_taken_for_dead_joins_anew() {
    let Some((slow, database)) = fresh().await else { return };
    let world = World::new(Arc::new(slow.clone()), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    slow.beat(world.now()).await.unwrap();
    let (lost, kept) = (world.claimed(agent).await, world.claimed(agent).await);
    let other = open(&database.url).await;
    let mut due = 0;
    for _ in 0..5 {
        due += other.beat(world.now()).await.unwrap();
    }
    assert_eq!(due, 2);
    let taken = other.claim_due(world.now(), world.leases(1)).await.unwrap().remove(0);
    let (lost, kept) = if taken.delivery_id == lost.delivery_id { (lost, kept) } else { (kept, lost) };

    let refused = slow.record(world.record(&lost, answered(200), NextStep::Delivered)).await;
    assert!(matches!(refused, Err(RecordError::LeaseLost)), "{refused:?}");
    slow.record(world.record(&kept, answered(200), NextStep::Delivered)).await.unwrap();
    assert_eq!(slow.beat(world.now()).await.unwrap(), 0);
    let again = world.claimed(agent).await;
    for _ in 0..10 {
        slow.beat(world.now()).await.unwrap();
        assert_eq!(other.beat(world.now()).await.unwrap(), 0, "both live");
    }
    slow.record(world.record(&again, answered(200), NextStep::Delivered)).await.unwrap();
}

#[tokio::test]
async fn what_a_node_took_before_it_learned_that_it_was_taken_for_dead_is_its_own() {
    let Some((slow, database)) = fresh().await else { return };
    let world = World::new(Arc::new(slow.clone()), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    slow.beat(world.now()).await.unwrap();
    let other = open(&database.url).await;
    for _ in 0..5 {
        other.beat(world.now()).await.unwrap();
    }
    let (cut_off, canceled) = (world.claimed(agent).await, world.claimed(agent).await);
    assert_eq!(slow.beat(world.now()).await.unwrap(), 0, "it comes back");
    slow.cancel_delivery(world.organization, canceled.delivery_id, world.now()).await.unwrap();
    let mut due = 0;
    for _ in 0..5 {
        due += other.beat(world.now()).await.unwrap();
    }
    assert_eq!(due, 1, "and dies after all");
    let again = other.claim_due(world.now(), world.leases(2)).await.unwrap();
    assert_eq!(again.iter().map(|claimed| claimed.delivery_id).collect::<Vec<_>>(), [cut_off.delivery_id]);
    let attempts = other.delivery(world.organization, canceled.delivery_id).await.unwrap().unwrap().1;
    assert!(attempts[0].error.is_some(), "what was canceled under way has an end");
}

#[tokio::test]
async fn a_node_whose_clock_is_ahead_takes_nothing_from_one_that_lives() {
    let Some((store, database)) = fresh().await else { return };
    let world = World::new(Arc::new(store.clone()), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let ahead = open(&database.url).await;
    store.beat(world.now()).await.unwrap();
    ahead.beat(world.now()).await.unwrap();
    let held = world.claimed(agent).await;
    world.clock.turn(SignedDuration::from_hours(1));
    assert!(ahead.claim_due(world.now(), world.leases(1)).await.unwrap().is_empty());
    assert_eq!(ahead.next_due().await.unwrap(), None, "nor does it wait for it");
    let again = store.claim_due(world.now(), world.leases(1)).await.unwrap();
    assert_eq!(again[0].delivery_id, held.delivery_id, "its own it may take again, whatever became of the first attempt");
}

#[tokio::test]
async fn numbers_go_on_rising_on_a_server_that_counts_from_a_lower_place() {
    let Some((store, database)) = fresh().await else { return };
    let world = World::new(Arc::new(store), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    world.claimed(agent).await;
    // As a dump of a server far ahead of this one leaves it.
    execute(&database, "UPDATE deliveries SET change = change + (1000000::bigint << 24)").await;
    let restored = open(&database.url).await;
    let last = restored.latest_change(world.organization).await.unwrap();
    assert!(last > ChangeNumber(1_000_000 << 24), "what was restored can be read");
    let world = World { store: Arc::new(restored.clone()), ..world };
    let new = world.claimed(agent).await;
    let read = restored.changed_deliveries(world.organization, last, 10).await.unwrap();
    assert_eq!(read.iter().map(|(_, delivery)| delivery.id).collect::<Vec<_>>(), [new.delivery_id]);
}

#[tokio::test]
async fn a_week_is_forgotten_as_a_whole_once_all_of_it_had_its_time() {
    let Some((store, database)) = fresh().await else { return };
    let world = World::new(Arc::new(store.clone()), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let (ended, pending) = (world.claimed(agent).await, world.claimed(agent).await);
    store.record(world.record(&ended, answered(200), NextStep::Delivered)).await.unwrap();
    let weeks =
        "SELECT relname FROM pg_class WHERE relname IN ('deliveries_20260126', 'attempts_20260126', 'messages_20260126')";
    assert_eq!(execute(&database, weeks).await.len(), 3);
    assert_eq!(execute(&database, "SELECT id FROM deliveries_20260126").await.len(), 2, "rows lie in their week");

    world.clock.turn(SignedDuration::from_hours(24 * 2));
    assert_eq!(store.forget_deliveries(world.now(), 100).await.unwrap(), 0, "the week is not over");
    world.clock.turn(SignedDuration::from_hours(24 * 12));
    assert_eq!(store.forget_deliveries(world.now(), 100).await.unwrap(), 1, "one is pending, and the week stays for it");
    assert_eq!(execute(&database, weeks).await.len(), 3);
    assert_eq!(execute(&database, "SELECT id FROM deliveries_20260126").await, [pending.delivery_id.uuid().to_string()]);
    store.record(world.record(&pending, answered(200), NextStep::Delivered)).await.unwrap();
    assert_eq!(store.forget_deliveries(world.now(), 100).await.unwrap(), 0, "it ended just now");
    world.clock.turn(SignedDuration::from_hours(1));
    assert_eq!(store.forget_deliveries(world.now(), 100).await.unwrap(), 1);
    assert_eq!(execute(&database, weeks).await, Vec::<String>::new());
    assert!(world.deliveries().await.is_empty());
    assert!(world.run_now(ended_run(&world).await).await.status.is_final(), "runs stay");
}

async fn ended_run(world: &World) -> preclinical_core::id::RunId {
    let page = preclinical_core::port::Page { limit: 1, offset: 0 };
    world.store.runs(world.organization, preclinical_core::port::RunFilter::default(), page).await.unwrap().0[0].id
}

#[tokio::test]
async fn a_record_that_the_server_refuses_takes_no_other_along() {
    let Some((store, _database)) = fresh().await else { return };
    let world = World::new(Arc::new(store.clone()), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let mut claims = Vec::new();
    for _ in 0..8 {
        claims.push(world.claimed(agent).await);
    }
    let records: Vec<_> = claims
        .iter()
        .enumerate()
        .map(|(index, claimed)| {
            let mut record = world.record(claimed, answered(200), NextStep::Delivered);
            record.response = Some(message(&[], b"ok"));
            // Earlier than the server can count.
            record.ended_at = if index == 3 { Timestamp::MIN } else { record.ended_at };
            let store = store.clone();
            tokio::spawn(async move { store.record(record).await })
        })
        .collect();
    let mut refused = Vec::new();
    for (index, record) in records.into_iter().enumerate() {
        if let Err(RecordError::Store(StoreError::Corrupt(_))) = record.await.unwrap() {
            refused.push(index);
        }
    }
    assert_eq!(refused, [3]);
    let delivered = world.deliveries().await.iter().filter(|delivery| delivery.status == DeliveryStatus::Delivered).count();
    assert_eq!(delivered, 7);
}

/// A webhook is disabled, and the process dies before it canceled what was pending.
#[tokio::test]
async fn what_a_disabled_webhook_has_left_is_never_sent() {
    let Some((store, database)) = fresh().await else { return };
    let world = World::new(Arc::new(store.clone()), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let turned = |is_enabled| {
        let changes = WebhookChanges { is_enabled: Some(is_enabled), ..WebhookChanges::default() };
        store.update_webhook(world.organization, webhook, changes, world.now())
    };
    for who in ["whoever claims it", "whoever disables it again", "whoever enables it"] {
        // The newest are those of this turn.
        world.clock.turn(SignedDuration::from_secs(1));
        turned(true).await.unwrap();
        let run = world.run(agent, None).await;
        world.complete(run.id, None).await.unwrap();
        execute(&database, "UPDATE webhooks SET is_enabled = false").await;
        let test = world.enqueue_test(webhook).await.unwrap();
        match who {
            "whoever claims it" => assert!(store.claim_due(world.now(), world.leases(9)).await.unwrap().is_empty()),
            "whoever disables it again" => drop(turned(false).await.unwrap()),
            _ => drop(turned(true).await.unwrap()),
        }
        let [tested, left] = &world.deliveries().await[..2] else { panic!("two deliveries") };
        let left = if left.id == test.delivery_id { tested } else { left };
        assert_eq!(left.status, DeliveryStatus::Canceled, "{who}");
        assert_eq!(world.delivery(test.delivery_id).await.status, DeliveryStatus::Pending, "{who}");
        store.record(world.record(&test, answered(200), NextStep::Delivered)).await.unwrap();
        assert!(store.claim_due(world.now(), world.leases(9)).await.unwrap().is_empty(), "{who}");
    }
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused_and_left_as_it_is() {
    let Some((_store, database)) = fresh().await else { return };
    execute(&database, "INSERT INTO schema_steps VALUES (1000)").await;
    let opened = PostgresStore::open(&database.url.parse().unwrap(), vault(), Timestamp::UNIX_EPOCH).await;
    assert!(matches!(opened, Err(OpenError::TooNew)));
    assert_eq!(execute(&database, "SELECT max(number) FROM schema_steps").await, ["1000"]);
}

#[tokio::test]
async fn another_master_key_is_refused() {
    let Some((_store, database)) = fresh().await else { return };
    let chance = Arc::new(SeededChance::new(7));
    let other = Vault::new(&MasterKey::generate(&*chance), chance);
    let opened = PostgresStore::open(&database.url.parse().unwrap(), other, Timestamp::UNIX_EPOCH).await;
    assert!(matches!(opened, Err(OpenError::WrongKey)));
}

#[tokio::test]
async fn nodes_that_start_at_once_on_an_empty_database_take_turns() {
    let Some(database) = postgres::empty().await else { return };
    let openings: Vec<_> = (0..6)
        .map(|_| {
            let url = database.url.clone();
            tokio::spawn(async move { drop(open(&url).await) })
        })
        .collect();
    for opening in openings {
        opening.await.unwrap();
    }
    let steps = earlier::steps(env!("CARGO_MANIFEST_DIR")).len();
    let taken: Vec<String> = (1..=steps).map(|number| number.to_string()).collect();
    assert_eq!(execute(&database, "SELECT number FROM schema_steps ORDER BY number").await, taken);
}
