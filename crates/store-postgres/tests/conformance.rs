//! The rules of the store port, on PostgreSQL.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    clock::Clock,
    port::{Store, Upkeep},
};
use preclinical_store_postgres::PostgresStore;
use preclinical_testkit::{
    clock::ManualClock,
    conformance::Home,
    postgres::{self, Database},
    world::vault,
};

/// More looks than it takes to know that somebody is dead.
const LOOKS: usize = 5;

/// When the rules begin.
fn beginning() -> Timestamp {
    ManualClock::default().now()
}

async fn open(url: &str, now: Timestamp) -> PostgresStore {
    PostgresStore::open(&url.parse().unwrap(), vault(), now).await.unwrap()
}

struct Server(Database);

#[async_trait]
impl Home for Server {
    async fn take_over(&self, now: Timestamp) -> (Arc<dyn Store>, u64) {
        let heir = open(&self.0.url, now).await;
        let mut due = 0;
        for _ in 0..LOOKS {
            due += heir.beat(now).await.unwrap();
        }
        (Arc::new(heir), due)
    }
}

/// A store whose rows fall into their weeks.
async fn fresh() -> Option<(Arc<dyn Store>, Server)> {
    let database = postgres::fresh(async |url| drop(open(url, beginning()).await)).await?;
    Some(opened(database, beginning()).await)
}

/// A store that was opened long before, and knows no week of the rows: all of them lie in the default part.
async fn without_weeks() -> Option<(Arc<dyn Store>, Server)> {
    Some(opened(postgres::empty().await?, Timestamp::UNIX_EPOCH).await)
}

async fn opened(database: Database, at: Timestamp) -> (Arc<dyn Store>, Server) {
    let store = open(&database.url, at).await;
    store.beat(at).await.unwrap();
    // Connections are made when they are needed: without these, the first of calls that race would be done before the others begin.
    let beats: Vec<_> = (0..24)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.beat(at).await.unwrap() })
        })
        .collect();
    for beat in beats {
        beat.await.unwrap();
    }
    (Arc::new(store), Server(database))
}

preclinical_testkit::conformance_suite!(crate::fresh);

/// Whatever finds, changes or forgets rows by their ids or their age finds them there, too.
mod in_no_week {
    preclinical_testkit::conformance_suite!(@role crate::without_weeks, queue: [
        a_lease_that_ended_is_claimed_again_and_its_late_record_refused
        a_record_moves_its_delivery_on
        a_receiver_that_is_gone_disables_its_webhook
    ]);
    preclinical_testkit::conformance_suite!(@role crate::without_weeks, history: [
        pages_of_deliveries_stay_where_they_are_while_rows_arrive
        a_searched_id_finds_what_belongs_to_it
        what_was_sent_and_answered_is_kept_to_the_byte
    ]);
    preclinical_testkit::conformance_suite!(@role crate::without_weeks, redeliveries: [
        a_job_repeats_what_it_counted_once_and_oldest_first
    ]);
    preclinical_testkit::conformance_suite!(@role crate::without_weeks, upkeep: [
        deliveries_that_ended_long_ago_are_forgotten_with_all_that_was_sent
    ]);
    preclinical_testkit::conformance_suite!(@home crate::without_weeks, death: [
        leases_of_the_dead_are_due_again_at_once
    ]);
}
