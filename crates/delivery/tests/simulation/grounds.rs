//! The stores on which it is simulated. Another store is one [`Place`] more here, and one test more in `seeds.rs`.

use std::{any::Any, sync::Arc, time::Duration};

use preclinical_core::port::{Store, StoreError};
use preclinical_store_sqlite::SqliteStore;
use preclinical_testkit::{
    interception::{Around, Roles, surrounded},
    reference::ReferenceStore,
    world::vault,
};
use tokio::runtime::{Builder, Handle};

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

/// The store in memory, behind tasks of another runtime, as a store behind a network is.
pub(crate) const BEHIND_TASKS: Place = Place { name: "behind_tasks", open: behind_tasks };

struct Tasks;

impl Around for Tasks {
    async fn around<T: Send, E: From<StoreError> + Send>(
        &self,
        _method: &'static str,
        call: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        tokio::spawn(tokio::task::yield_now()).await.unwrap();
        let answer = call.await;
        tokio::time::timeout(Duration::from_millis(1), std::future::pending::<()>()).await.unwrap_err();
        answer
    }
}

fn behind_tasks() -> Ground {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let store = surrounded(Roles::of(Arc::new(ReferenceStore::default())), Tasks);
    Ground { store, home: Some(runtime.handle().clone()), _guard: Box::new(runtime) }
}

fn reference() -> Ground {
    Ground { store: Arc::new(ReferenceStore::default()), home: None, _guard: Box::new(()) }
}

fn sqlite() -> Ground {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let store = SqliteStore::open_exclusively(&folder.path().join("test.db"), vault()).unwrap();
    Ground { store: Arc::new(store), home: None, _guard: Box::new(folder) }
}
