//! Databases of earlier versions.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::{path::Path, sync::Arc};

use preclinical_core::port::Upkeep;
use preclinical_store_sqlite::SqliteStore;
use preclinical_testkit::{
    earlier::{self, Step},
    world::vault,
};
use rusqlite::Connection;

fn make(path: &Path, step: &Step) {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    for sql in &step.schema {
        connection.execute_batch(sql).unwrap();
    }
    connection.pragma_update(None, "user_version", i64::try_from(step.number).unwrap()).unwrap();
    connection.execute_batch(&step.rows).unwrap();
}

async fn bodies_go_with_their_deliveries(store: &SqliteStore, path: &Path) {
    let connection = Connection::open(path).unwrap();
    let count = |sql| connection.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap();
    let of_any = || count("SELECT (SELECT count(*) FROM exchanges) + (SELECT count(*) FROM messages)");
    let before = of_any();
    assert!(store.forget_deliveries("2100-01-01T00:00:00Z".parse().unwrap(), 100).await.unwrap() > 1);
    assert!(of_any() < before);
    let of_none =
        "SELECT count(*) FROM exchanges WHERE id NOT IN (SELECT exchange FROM attempts WHERE exchange IS NOT NULL)";
    assert_eq!(count(of_none), 0);
}

#[tokio::test]
async fn a_database_of_every_step_is_carried_on_with_its_pending_work() {
    for step in earlier::steps(env!("CARGO_MANIFEST_DIR")) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        make(&path, &step);
        let store = SqliteStore::open_exclusively(&path, vault()).unwrap();
        let bury = async |now| store.void_dead_leases(now).await.unwrap();
        earlier::is_carried_on(&step, Arc::new(store.clone()), bury).await;
        bodies_go_with_their_deliveries(&store, &path).await;
    }
}
