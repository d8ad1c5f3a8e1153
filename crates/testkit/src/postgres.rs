//! Throw-away PostgreSQL: an empty or a migrated database for one test, on a server that ends with the test process.
//!
//! The server is the one that `PRECLINICAL_TEST_POSTGRES_URL` names (its user must be allowed to create databases), or else a
//! [`Cluster`] of this process's own, from the programs that are installed, started when the first test asks for it.
//! Where there is neither, a test fails; it is skipped only where `PRECLINICAL_TEST_WITHOUT` names `postgres`.
//!
//! No connection outlives the call that made it, so tests may have a runtime each. What a migration is, the caller says.

mod cluster;
mod programs;
mod template;

pub use cluster::{Cluster, Durability, Stop};

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Arc, OnceLock, Weak},
    thread,
};

use tokio::sync::Mutex;
use tokio_postgres::NoTls;
use url::Url;

/// A server to use instead of one that is started for the tests.
const SERVER: &str = "PRECLINICAL_TEST_POSTGRES_URL";

/// Parts of the tests that were left out knowingly, with commas between.
const WITHOUT: &str = "PRECLINICAL_TEST_WITHOUT";

/// Whether whoever runs the tests left PostgreSQL out.
#[must_use]
pub fn is_left_out() -> bool {
    std::env::var(WITHOUT).is_ok_and(|parts| parts.split(',').any(|part| part == "postgres"))
}

/// A database of one test's own; it is dropped, and whoever is still connected cut off, when this is.
#[derive(Debug)]
pub struct Database {
    /// Where to connect to, with user and password.
    pub url: String,
    name: String,
    server: Url,
    /// Held so that it is there for whoever clones it while this test runs.
    _template: Option<Arc<Database>>,
}

impl Database {
    async fn create(server: &Url, from: Option<Arc<Database>>) -> Self {
        let name = format!("preclinical_test_{:016x}", random());
        let clause = from.as_ref().map(|template| format!(" TEMPLATE {}", template.name)).unwrap_or_default();
        execute(server, &[format!("CREATE DATABASE {name}{clause}")]).await.expect("a database is created");
        Self { url: with_database(server, &name).to_string(), name, server: server.clone(), _template: from }
    }
}

impl Drop for Database {
    /// On a thread with a runtime of its own, since the test's may be ending.
    fn drop(&mut self) {
        let drop_it = [format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)];
        let server = self.server.clone();
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            // A server that a test has stopped takes the database with it when it goes.
            let _ = runtime.block_on(execute(&server, &drop_it));
        });
        let _ = dropping.join();
    }
}

/// An empty database. `None` if PostgreSQL is left out: the test has nothing to do then.
///
/// # Panics
///
/// If there is no PostgreSQL and it is not left out, or the server refuses.
pub async fn empty() -> Option<Database> {
    if is_left_out() {
        return None;
    }
    Some(Database::create(&server().url, None).await)
}

/// A database that `migrate` has been through: the first call migrates one, the others get copies of it.
///
/// All calls in one process are to bring the same migration. `None` if PostgreSQL is left out.
///
/// # Panics
///
/// If there is no PostgreSQL and it is not left out, or the server refuses.
pub async fn fresh(migrate: impl AsyncFnOnce(&str)) -> Option<Database> {
    static TEMPLATE: Mutex<Weak<Database>> = Mutex::const_new(Weak::new());
    static KEPT: OnceLock<Arc<Database>> = OnceLock::new();
    if is_left_out() {
        return None;
    }
    let server = server();
    let mut shared = TEMPLATE.lock().await;
    let template = match shared.upgrade() {
        Some(template) => template,
        None => Arc::new(migrated(&server.url, migrate).await),
    };
    *shared = Arc::downgrade(&template);
    drop(shared);
    if server.ends_with_this_process {
        KEPT.get_or_init(|| Arc::clone(&template));
    }
    Some(Database::create(&server.url, Some(template)).await)
}

/// A migrated database that nobody can connect to any more, which is what a copy needs.
async fn migrated(server: &Url, migrate: impl AsyncFnOnce(&str)) -> Database {
    let template = Database::create(server, None).await;
    migrate(&template.url).await;
    let close = [
        format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", template.name),
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", template.name),
    ];
    execute(server, &close).await.expect("the template is closed");
    template
}

/// Where databases are created.
struct Server {
    url: Url,
    /// What is left on it then needs nobody to remove it.
    ends_with_this_process: bool,
}

fn server() -> &'static Server {
    static SERVER_OF_THIS_PROCESS: OnceLock<(Server, Option<Cluster>)> = OnceLock::new();
    let (server, _) = SERVER_OF_THIS_PROCESS.get_or_init(|| {
        if let Ok(url) = std::env::var(SERVER) {
            let url = Url::parse(&url).unwrap_or_else(|error| panic!("{SERVER}: {error}"));
            return (Server { url, ends_with_this_process: false }, None);
        }
        let cluster = Cluster::start(Durability::None);
        let url = Url::parse(&cluster.url("postgres")).unwrap();
        (Server { url, ends_with_this_process: true }, Some(cluster))
    });
    server
}

fn with_database(server: &Url, name: &str) -> Url {
    let mut url = server.clone();
    url.set_path(name);
    url
}

/// Executes each statement by itself, over one connection that is closed afterwards.
async fn execute(server: &Url, statements: &[String]) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(server.as_str(), NoTls).await?;
    let connection = tokio::spawn(connection);
    for statement in statements {
        client.batch_execute(statement).await?;
    }
    drop(client);
    let _ = connection.await;
    Ok(())
}

/// Names and ports must differ from those of every other test process; they need not be secret.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests;
