//! The rules of the store port, on SQLite.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::port::{Store, Upkeep};
use preclinical_store_sqlite::SqliteStore;
use preclinical_testkit::{conformance::Home, world::vault};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn database(&self) -> PathBuf {
        self.0.path().join("test.db")
    }
}

#[async_trait]
impl Home for Folder {
    async fn take_over(&self, now: Timestamp) -> (Arc<dyn Store>, u64) {
        // The one before holds the lock of the file as long as this process lives.
        let heir = SqliteStore::open(&self.database(), vault()).unwrap();
        let due = heir.void_dead_leases(now).await.unwrap();
        (Arc::new(heir), due)
    }
}

#[allow(clippy::unused_async, clippy::unnecessary_wraps, reason = "other stores lie behind a network, and can be left out")]
async fn fresh() -> Option<(Arc<dyn Store>, Folder)> {
    let folder = Folder(tempfile::tempdir().unwrap());
    let store = SqliteStore::open_exclusively(&folder.database(), vault()).unwrap();
    Some((Arc::new(store), folder))
}

preclinical_testkit::conformance_suite!(crate::fresh);
