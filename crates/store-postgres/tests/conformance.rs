//! The rules of the store port, on PostgreSQL.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::port::{Store, Upkeep};
use preclinical_store_postgres::PostgresStore;
use preclinical_testkit::{
    conformance::Home,
    postgres::{self, Database},
    world::vault,
};

/// More looks than it takes to know that somebody is dead.
const LOOKS: usize = 5;

async fn open(url: &str) -> PostgresStore {
    PostgresStore::open(&url.parse().unwrap(), vault(), Timestamp::UNIX_EPOCH).await.unwrap()
}

struct Server(Database);

#[async_trait]
impl Home for Server {
    async fn take_over(&self, now: Timestamp) -> (Arc<dyn Store>, u64) {
        let heir = open(&self.0.url).await;
        let mut due = 0;
        for _ in 0..LOOKS {
            due += heir.beat(now).await.unwrap();
        }
        (Arc::new(heir), due)
    }
}

async fn fresh() -> Option<(Arc<dyn Store>, Server)> {
    let database = postgres::fresh(async |url| drop(open(url).await)).await?;
    let store = open(&database.url).await;
    store.beat(Timestamp::UNIX_EPOCH).await.unwrap();
    // Connections are made when they are needed: without these, the first of calls that race would be done before the others begin.
    let beats: Vec<_> = (0..24)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.beat(Timestamp::UNIX_EPOCH).await.unwrap() })
        })
        .collect();
    for beat in beats {
        beat.await.unwrap();
    }
    Some((Arc::new(store), Server(database)))
}

preclinical_testkit::conformance_suite!(crate::fresh);
