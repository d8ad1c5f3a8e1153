//! The rules of the store port, on SQLite.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::sync::Arc;

use preclinical_core::port::Store;
use preclinical_store_sqlite::SqliteStore;
use preclinical_testkit::world::vault;
use tempfile::TempDir;

#[allow(clippy::unused_async, reason = "the suite opens stores that lie behind a network, too")]
async fn fresh() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_exclusively(&folder.path().join("test.db"), vault()).unwrap();
    (Arc::new(store), folder)
}

preclinical_testkit::conformance_suite!(crate::fresh);
