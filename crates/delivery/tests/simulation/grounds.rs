//! The stores on which it is simulated. A ground for another store is one function more here.

use std::{any::Any, sync::Arc};

use preclinical_core::port::Store;
use preclinical_store_sqlite::SqliteStore;
use preclinical_testkit::{reference::ReferenceStore, world::vault};
use tokio::runtime::Handle;

/// A fresh store.
pub(crate) struct Ground {
    pub(crate) store: Arc<dyn Store>,
    /// Where the store's own tasks live, if it has any.
    pub(crate) home: Option<Handle>,
    /// What is cleared away after the simulation.
    pub(crate) _guard: Box<dyn Any>,
}

/// The embedded store, on a file system in memory if there is one: what a commit costs is not what is looked at.
pub(crate) fn sqlite() -> Ground {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let store = SqliteStore::open_exclusively(&folder.path().join("test.db"), vault()).unwrap();
    Ground { store: Arc::new(store), home: None, _guard: Box::new(folder) }
}

/// The store in memory: thousands of seeds in the time of hundreds.
pub(crate) fn reference() -> Ground {
    Ground { store: Arc::new(ReferenceStore::default()), home: None, _guard: Box::new(()) }
}
