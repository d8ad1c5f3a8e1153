//! The stores on which it is simulated. Another store is one [`Place`] more here, and one test more in `seeds.rs`.

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

/// Where fresh stores come from.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// As tests on it are named.
    pub(crate) name: &'static str,
    pub(crate) open: fn() -> Ground,
}

/// The store in memory: thousands of seeds in the time of hundreds.
pub(crate) const IN_MEMORY: Place = Place { name: "in_memory", open: reference };

/// The embedded store, on a file system in memory if there is one: what a commit costs is not what is looked at.
pub(crate) const EMBEDDED: Place = Place { name: "embedded", open: sqlite };

fn reference() -> Ground {
    Ground { store: Arc::new(ReferenceStore::default()), home: None, _guard: Box::new(()) }
}

fn sqlite() -> Ground {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let store = SqliteStore::open_exclusively(&folder.path().join("test.db"), vault()).unwrap();
    Ground { store: Arc::new(store), home: None, _guard: Box::new(folder) }
}
