//! Calls that share a transaction: what becomes of one of them is no other's, and each is told what became of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod callers;
mod commits;
mod counts;
mod endings;
mod lines;
mod others;
mod wire;

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Waker},
};

use preclinical_core::{
    clock::Clock,
    id::{AgentId, WebhookId},
    port::{Fate, Finish, Finished, Upkeep},
    run::FinalStatus,
};
use preclinical_store_postgres::PostgresStore;
use preclinical_testkit::{
    clock::ManualClock,
    postgres::{self, Database},
    world::{World, vault},
};
use tokio_postgres::{Client, NoTls};

/// A store with an agent whose runs a webhook hears of, and a connection beside it.
struct Scene {
    store: PostgresStore,
    world: World,
    agent: AgentId,
    beside: Client,
    database: Database,
}

async fn open(url: &str) -> PostgresStore {
    PostgresStore::open(&url.parse().unwrap(), vault(), ManualClock::default().now()).await.unwrap()
}

impl Scene {
    /// `None` where PostgreSQL was left out.
    async fn new() -> Option<Self> {
        let database = postgres::fresh(async |url| drop(open(url).await)).await?;
        let store = open(&database.url).await;
        let world = World::new(Arc::new(store.clone()), "default").await;
        store.beat(world.now()).await.unwrap();
        let agent = world.agent("Assistant").await;
        world.webhook("https://example.com", None).await;
        let beside = connect(&database.url).await;
        Some(Self { store, world, agent, beside, database })
    }

    /// The order to complete a new run of the agent, with a place for its delivery.
    async fn order(&self) -> Finish {
        let run = self.world.run(self.agent, None).await.id;
        self.world.finish_value(run, FinalStatus::Completed, Some(self.world.lease()))
    }

    async fn orders(&self, count: usize) -> Vec<Finish> {
        let mut orders = Vec::new();
        for _ in 0..count {
            orders.push(self.order().await);
        }
        orders
    }

    /// What a query counts.
    async fn count(&self, sql: &str) -> i64 {
        self.beside.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// In how many transactions the events were written.
    async fn transactions(&self) -> i64 {
        self.count("SELECT count(DISTINCT xmin::text) FROM events").await
    }

    /// A connection that keeps all runs from being changed until it commits.
    async fn hold_runs(&self) -> Client {
        let holder = connect(&self.database.url).await;
        holder.batch_execute("BEGIN; SELECT FROM runs FOR UPDATE").await.unwrap();
        holder
    }

    /// Returns when so many transactions wait for a lock.
    async fn until_waiting(&self, count: i64) {
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while self.count(waiting).await < count {}
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Makes a call that waits with others: nobody serves them before the test itself waits for something.
fn call<'a, T>(future: impl Future<Output = T> + 'a) -> Pin<Box<dyn Future<Output = T> + 'a>> {
    let mut call = Box::pin(future);
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    call
}

/// What became of a delivery, and whose it is.
fn fate(finished: &Finished) -> (&'static str, Option<WebhookId>) {
    match &finished.fate {
        Fate::NotFinal => ("not final", None),
        Fate::NoWebhook => ("no webhook", None),
        Fate::Due => ("due", None),
        Fate::Claimed(claimed) => ("claimed", Some(claimed.webhook_id)),
    }
}
