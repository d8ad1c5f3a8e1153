//! Databases of earlier versions.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::sync::Arc;

use preclinical_core::{clock::Clock, port::Upkeep};
use preclinical_store_postgres::PostgresStore;
use preclinical_testkit::{
    clock::ManualClock,
    earlier::{self, Step},
    postgres,
    world::vault,
};
use tokio_postgres::NoTls;

/// More looks than it takes to know that somebody is dead.
const LOOKS: usize = 5;

async fn make(url: &str, step: &Step) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let driving = tokio::spawn(connection);
    for sql in &step.schema {
        client.batch_execute(sql).await.unwrap();
    }
    let number = step.number;
    let taken = format!(
        "CREATE TABLE schema_steps (number BIGINT PRIMARY KEY); \
         INSERT INTO schema_steps SELECT generate_series(1, {number})"
    );
    client.batch_execute(&taken).await.unwrap();
    client.batch_execute(&step.rows).await.unwrap();
    drop(client);
    driving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_database_of_every_step_is_carried_on_with_its_pending_work() {
    for step in earlier::steps(env!("CARGO_MANIFEST_DIR")) {
        let Some(database) = postgres::empty().await else { return };
        make(&database.url, &step).await;
        let now = ManualClock::default().now();
        let store = PostgresStore::open(&database.url.parse().unwrap(), vault(), now).await.unwrap();
        let bury = async |now| {
            let mut due = 0;
            for _ in 0..LOOKS {
                due += store.beat(now).await.unwrap();
            }
            due
        };
        earlier::is_carried_on(&step, Arc::new(store.clone()), bury).await;
    }
}
