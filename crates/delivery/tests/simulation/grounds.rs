//! The stores on which it is simulated. Another store is one [`Place`] more here, and one test more in `seeds.rs`.

use std::{
    any::Any,
    sync::{Arc, LazyLock},
    time::Duration,
};

use preclinical_core::{
    clock::Clock,
    port::{Store, StoreError},
};
use preclinical_store_postgres::PostgresStore;
use preclinical_store_sqlite::SqliteStore;
use preclinical_testkit::{
    clock::ManualClock,
    interception::{Around, Roles, surrounded},
    postgres,
    reference::ReferenceStore,
    world::vault,
};
use tokio::runtime::{Builder, Handle, Runtime};

/// A fresh store.
pub(crate) struct Ground {
    pub(crate) store: Arc<dyn Store>,
    /// How a node has the store for its own, if others know by its beats that it lives.
    pub(crate) join: Option<Join>,
    /// Where the store's own tasks live, if it has any.
    pub(crate) home: Option<Handle>,
    /// What is cleared away after the simulation.
    pub(crate) _guard: Box<dyn Any>,
}

/// Opens a store once more, as another process does.
pub(crate) type Join = Arc<dyn Fn() -> Arc<dyn Store>>;

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

/// The shared store, in a database of its own on a server that flushes nothing. Nobody may have left PostgreSQL out.
pub(crate) const SHARED: Place = Place { name: "on_the_shared_store", open: shared };

/// Where the connections and tasks of all shared stores live.
static HOME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

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
    Ground { store, join: None, home: Some(runtime.handle().clone()), _guard: Box::new(runtime) }
}

fn reference() -> Ground {
    Ground { store: Arc::new(ReferenceStore::default()), join: None, home: None, _guard: Box::new(()) }
}

fn sqlite() -> Ground {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let store = SqliteStore::open_exclusively(&folder.path().join("test.db"), vault()).unwrap();
    Ground { store: Arc::new(store), join: None, home: None, _guard: Box::new(folder) }
}

async fn connect(url: &str) -> Arc<dyn Store> {
    let now = ManualClock::default().now();
    Arc::new(PostgresStore::open(&url.parse().unwrap(), vault(), now).await.unwrap())
}

fn shared() -> Ground {
    let home = HOME.handle();
    let database = home.block_on(postgres::fresh(async |url| drop(connect(url).await))).unwrap();
    let url = database.url.clone();
    let join: Join = Arc::new(move || home.block_on(connect(&url)));
    Ground { store: join(), join: Some(join), home: Some(home.clone()), _guard: Box::new(database) }
}
