//! The shared store: any number of nodes on one PostgreSQL, and nothing else.
//!
//! A method that returned `Ok` is on the server's disk: every transaction asks for a synchronous commit, however the server is set up.
//! Deliveries are claimed with `FOR UPDATE SKIP LOCKED`, so nodes never wait for each other's work; a node that died is known by its
//! beat, and its leases are void. Nodes tell each other what changed by `NOTIFY`, after the commit and apart from it.
//!
//! Left out on purpose: whatever a connection would have to remember between two transactions (prepared statements, settings, locks of
//! a session), so that a pooler may stand between; plans of functions of the schema are the server's own affair. Only `LISTEN` needs a
//! session of its own; where none can be had it is said in the log, and the database is asked every few seconds instead.

mod access;
mod accounts;
mod address;
mod administration;
mod bells;
mod candidates;
mod changes;
mod condition;
mod failure;
mod history;
mod idempotency;
mod intake;
mod lines;
mod listener;
mod migrations;
mod node;
mod partitions;
mod pool;
mod queue;
mod redeliveries;
mod row;
mod sealing;
mod transaction;
mod upkeep;
mod writing;

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use preclinical_core::{port::StoreError, vault::Vault};
use tokio_postgres::Row;

pub use self::address::{Address, AddressError};
use self::{
    access::{Lookups, lookups},
    bells::Bells,
    condition::Condition,
    failure::{Failure, unavailable},
    intake::{Endings, endings},
    listener::Listener,
    node::Node,
    partitions::Weeks,
    pool::Connections,
    queue::{Records, Turns, records},
    transaction::{CALL_LIMIT, Transaction, Turn},
    writing::Writers,
};

/// Connections of a node that write what the API is asked for. More would not write faster: the server's disk is what they wait for.
const WRITERS: usize = 9;

/// Connections that claim and record, apart from them, so that callers who wait for each other hold up no delivery.
const QUEUE: usize = 3;

/// Connections that read lists, apart from those, because lists can be long.
const READERS: usize = 5;

/// Connections for what everything else waits for and takes no time: whose key it is, what is due next, how the server is.
const GLANCES: usize = 2;

/// A handle to the store; clones share it. It belongs to the tokio runtime that it was opened in.
#[derive(Clone)]
pub struct PostgresStore(Arc<Shared>);

struct Shared {
    writers: Writers,
    queue: Writers,
    /// One connection, so that nobody takes this node for dead because others wait.
    beats: Writers,
    readers: Connections,
    glances: Connections,
    condition: Arc<Condition>,
    vault: Vault,
    bells: Arc<Bells>,
    node: Node,
    weeks: Weeks,
    turns: Mutex<Turns>,
    records: Records,
    endings: Endings,
    lookups: Lookups,
    _listener: Listener,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was written by a newer version of this program.
    #[error("it was written by a newer version of this program")]
    TooNew,
    /// Its secrets were sealed with another key.
    #[error("its secrets were sealed with another master key")]
    WrongKey,
    /// The server is too old.
    #[error("it is served by PostgreSQL {0}; 14 is the oldest that will do")]
    TooOld(String),
    /// It cannot hold every text.
    #[error("its encoding is {0}; it must be UTF8")]
    Encoding(String),
    /// The server cannot be reached, or refused.
    #[error("{0}")]
    Failed(String),
}

impl PostgresStore {
    /// Opens the database, creating or upgrading what is in it, beside whoever else uses it. `now` says which weeks its tables are
    /// made ready for.
    pub async fn open(address: &Address, vault: Vault, now: Timestamp) -> Result<Self, OpenError> {
        let connections = Connections::new(address, WRITERS)?;
        let [queue, beats, readers, glances] = [QUEUE, 1, READERS, GLANCES].map(|most| Connections::new(address, most));
        check_server(&connections).await?;
        migrations::run(connections.get().await?).await?;
        changes::keep_numbers_rising(&connections).await?;
        sealing::check(&connections, &vault).await?;
        let weeks = Weeks::default();
        weeks.make_ready(&connections, now).await?;
        let bells = Arc::<Bells>::default();
        let listener = Listener::start(address, connections.clone(), Arc::clone(&bells)).await;
        let condition = Arc::<Condition>::default();
        Ok(Self(Arc::new(Shared {
            writers: Writers::new(connections, &condition, &bells),
            records: records(),
            endings: endings(),
            lookups: lookups(),
            queue: Writers::new(queue?, &condition, &bells),
            beats: Writers::new(beats?, &condition, &bells),
            readers: readers?,
            glances: glances?,
            condition,
            vault,
            bells,
            node: Node::default(),
            weeks,
            turns: Mutex::default(),
            _listener: listener,
        })))
    }

    /// See [`Writers::run`].
    async fn write<'job, T, E: From<StoreError>>(
        &self,
        turn: Turn,
        job: impl Fn(Transaction) -> BoxFuture<'job, Result<T, E>>,
    ) -> Result<T, E> {
        self.0.writers.run(turn, job).await
    }

    /// Carries out `job` on one consistent snapshot of the database.
    async fn read<'job, T>(
        &self,
        job: impl FnOnce(Transaction) -> BoxFuture<'job, Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        self.read_in(&self.0.readers, Turn::Reading, job).await
    }

    /// The same, and does not wait for those who read lists.
    async fn glance<'job, T>(
        &self,
        job: impl FnOnce(Transaction) -> BoxFuture<'job, Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        self.read_in(&self.0.glances, Turn::Reading, job).await
    }

    /// The rows that a statement answers with, which an index finds. Does not wait for those who read lists either.
    async fn glance_at(&self, sql: &str, parameters: &[&dyn row::Param]) -> Result<Vec<Row>, StoreError> {
        let reading = async { Transaction::rows_of_one(self.0.glances.get().await?, sql, parameters).await };
        let outcome = tokio::time::timeout(CALL_LIMIT, reading).await.unwrap_or(Err(Failure::TooSlow));
        outcome.map_err(unavailable)
    }

    /// Carries out `job`, each statement of which sees what was committed before it.
    async fn read_as_it_goes<'job, T>(
        &self,
        job: impl FnOnce(Transaction) -> BoxFuture<'job, Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        self.read_in(&self.0.readers, Turn::Following, job).await
    }

    async fn read_in<'job, T>(
        &self,
        connections: &Connections,
        turn: Turn,
        job: impl FnOnce(Transaction) -> BoxFuture<'job, Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        let reading = async {
            let transaction = Transaction::begin(connections.get().await?, turn);
            let outcome = job(transaction.clone()).await;
            transaction.roll_back().await?;
            outcome
        };
        let outcome = tokio::time::timeout(CALL_LIMIT, reading).await.unwrap_or(Err(Failure::TooSlow));
        outcome.map_err(unavailable)
    }
}

async fn check_server(connections: &Connections) -> Result<(), OpenError> {
    let transaction = Transaction::begin(connections.get().await?, Turn::Reading);
    let sql = "SELECT current_setting('server_version_num')::bigint AS number, current_setting('server_version') AS name, \
         current_setting('server_encoding') AS encoding";
    let row = transaction.row(sql, &[]).await?;
    transaction.roll_back().await?;
    let Some(row) = row else { return Ok(()) };
    if row::number::<i64>(&row, "number")? < 140_000 {
        return Err(OpenError::TooOld(row::get(&row, "name")?));
    }
    let encoding: String = row::get(&row, "encoding")?;
    if !matches!(encoding.as_str(), "UTF8" | "SQL_ASCII") {
        return Err(OpenError::Encoding(encoding));
    }
    Ok(())
}
