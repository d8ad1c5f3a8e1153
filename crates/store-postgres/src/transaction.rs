//! One transaction on a pooled connection.
//!
//! It leaves nothing behind on its connection: settings are `LOCAL`, locks end with it, statements have no names. So a pooler in
//! transaction mode may stand between. What is dropped without an end takes its connection along, and the server rolls it back.
//!
//! Its beginning goes to the server with its first statement, and what only writes with its end: each way there costs both sides more
//! than most statements do.

mod sending;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use deadpool_postgres::Object;
use preclinical_core::id::OrganizationId;
use tokio_postgres::{Row, types::ToSql};

use self::sending::{Unsent, together};
use crate::{bells::News, failure::Failure, queue::Rest, row::Param};

/// How long the server works on a statement before it gives up.
pub(crate) const STATEMENT_LIMIT: Duration = Duration::from_secs(10);

/// How long the server waits for the next statement of a transaction. A node that stands still in the middle of one, with its
/// connections open, would hold what it has locked from everybody for as long as it stands.
const IDLE_LIMIT: Duration = Duration::from_secs(5);

/// How long a statement that writes waits for others. Longer than [`IDLE_LIMIT`], after which whoever stands still lets go.
const LOCK_LIMIT: Duration = Duration::from_secs(7);

/// How long a whole call may take, waiting for a connection and for an answer of the server included. Longer than a statement, so
/// that it is the server that ends what is slow.
pub(crate) const CALL_LIMIT: Duration = Duration::from_secs(20);

/// Keeps the server from sorting what an index has in order.
pub(crate) const IN_ORDER: &str = "SET LOCAL enable_sort = off";

const ROLLBACK: &str = "ROLLBACK";

/// Beside whom a transaction runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Sees one state of the database, and writes nothing.
    Reading,
    /// Sees what was committed before each of its statements, and writes nothing.
    Following,
    /// Takes its own locks on rows, if it needs any.
    Free,
    /// The same, and what it looks for in an order is read in that order by an index. The server would rather sort all that waits, as
    /// long as it does not know how much that is.
    InOrder,
    /// While it runs nobody changes the organization's settings: its webhooks, agents, members and keys.
    Beside(OrganizationId),
    /// While it runs nobody else is [`Beside`](Self::Beside) or alone with the organization.
    Alone(OrganizationId),
}

/// An open transaction; clones are the same one.
#[derive(Clone)]
pub(crate) struct Transaction(Arc<Open>);

struct Open {
    /// Taken by the end.
    connection: Mutex<Option<Arc<Object>>>,
    /// What goes ahead of the next statement.
    unsent: Mutex<Vec<Unsent>>,
    news: Mutex<News>,
    rest: Mutex<Option<Rest>>,
    /// Whether a statement failed because another transaction was in its way.
    lost: AtomicBool,
    /// Whether a statement failed for a reason that lies in the database.
    is_in_trouble: AtomicBool,
    /// Whether any statement failed.
    has_failed: AtomicBool,
}

impl Transaction {
    /// One that begins with its first statement.
    pub(crate) fn begin(connection: Object, turn: Turn) -> Self {
        Self::with(connection, vec![Unsent::Opening(opening(turn))])
    }

    /// The rows that one statement answers with that finds them by an index, and has no other beside it: it needs neither a beginning nor
    /// an end, and ends before [`CALL_LIMIT`] or takes its connection along.
    pub(crate) async fn rows_of_one(connection: Object, sql: &str, parameters: &[&dyn Param]) -> Result<Vec<Row>, Failure> {
        let transaction = Self::with(connection, Vec::new());
        let rows = transaction.rows(sql, parameters).await?;
        transaction.leave_connection();
        Ok(rows)
    }

    fn with(connection: Object, unsent: Vec<Unsent>) -> Self {
        Self(Arc::new(Open {
            connection: Mutex::new(Some(Arc::new(connection))),
            unsent: Mutex::new(unsent),
            news: Mutex::default(),
            rest: Mutex::default(),
            lost: AtomicBool::new(false),
            is_in_trouble: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
        }))
    }

    /// The rows that a statement answers with.
    pub(crate) async fn rows(&self, sql: &str, parameters: &[&dyn Param]) -> Result<Vec<Row>, Failure> {
        let typed: Vec<_> = parameters.iter().map(|value| (*value as &(dyn ToSql + Sync), value.kind())).collect();
        let connection = self.connection()?;
        self.send(&connection, sql, connection.query_typed(sql, &typed)).await
    }

    /// The row that a statement answers with; of several the first.
    pub(crate) async fn row(&self, sql: &str, parameters: &[&dyn Param]) -> Result<Option<Row>, Failure> {
        Ok(self.rows(sql, parameters).await?.into_iter().next())
    }

    /// How many rows a statement wrote.
    pub(crate) async fn run(&self, sql: &str, parameters: &[&dyn Param]) -> Result<u64, Failure> {
        let typed: Vec<_> = parameters.iter().map(|value| (*value as &(dyn ToSql + Sync), value.kind())).collect();
        let connection = self.connection()?;
        self.send(&connection, sql, connection.execute_typed(sql, &typed)).await
    }

    /// A statement that writes and answers nothing. It goes to the server with the next one or with the end, and it is those that fail
    /// if it does.
    pub(crate) fn run_along(&self, sql: &'static str, parameters: &[&dyn Param]) -> Result<(), Failure> {
        let writing = Unsent::writing(sql, parameters).map_err(|failure| self.noted(failure))?;
        self.lock_unsent().push(writing);
        Ok(())
    }

    /// Several statements without parameters.
    pub(crate) async fn batch(&self, sql: &str) -> Result<(), Failure> {
        let connection = self.connection()?;
        self.send(&connection, sql, connection.batch_execute(sql)).await
    }

    /// Sends a statement behind all that goes along with it. Behind one that failed nothing is sent but the end: if that was the
    /// beginning, whatever writes would be kept at once. The beginning goes along with what reads or locks: should it fail, there
    /// may be no transaction, and what writes would be kept.
    async fn send<T>(
        &self,
        connection: &Object,
        sql: &str,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        if sql != ROLLBACK && self.0.has_failed.load(Ordering::Relaxed) {
            return Err(Failure::Undone);
        }
        let mut ahead = std::mem::take(&mut *self.lock_unsent());
        let answer = async {
            if matches!(ahead.first(), Some(Unsent::Opening(_))) && !(ahead.len() == 1 && sql.starts_with("SELECT ")) {
                ahead.remove(0).send(connection).await?;
            }
            if ahead.is_empty() { statement.await } else { together(connection, &ahead, statement).await }
        };
        answer.await.map_err(|error| self.noted(error.into()))
    }

    fn lock_unsent(&self) -> MutexGuard<'_, Vec<Unsent>> {
        self.0.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is alone with an organization that was not known when it began.
    pub(crate) async fn be_alone_with(&self, organization: OrganizationId) -> Result<(), Failure> {
        self.batch(&format!("SELECT pg_advisory_xact_lock({})", lock_of(organization))).await
    }

    /// Says that it changes a run or a delivery of the organization: who watches it is told after the commit.
    pub(crate) fn concerns(&self, organization: OrganizationId) {
        self.lock_news().organizations.insert(organization);
    }

    /// Says that it leaves a delivery that is due to whoever has a place for it.
    pub(crate) fn leaves_work(&self) {
        self.lock_news().work = true;
    }

    /// Says what it leaves to transactions that are to follow before its caller is answered.
    pub(crate) fn leaves(&self, rest: Rest) {
        self.lock_rest().replace(rest);
    }

    /// What it leaves to others.
    pub(crate) fn rest(&self) -> Option<Rest> {
        self.lock_rest().take()
    }

    fn lock_rest(&self) -> MutexGuard<'_, Option<Rest>> {
        self.0.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be told after the commit.
    pub(crate) fn news(&self) -> News {
        std::mem::take(&mut *self.lock_news())
    }

    fn lock_news(&self) -> MutexGuard<'_, News> {
        self.0.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that another transaction was in the way of what was tried here: made again, it finds what that one did.
    pub(crate) fn lose(&self) {
        self.0.lost.store(true, Ordering::Relaxed);
    }

    /// Whether it failed only because another transaction was in its way.
    pub(crate) fn is_lost(&self) -> bool {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// Whether a statement of it failed for a reason that lies in the database.
    pub(crate) fn is_in_trouble(&self) -> bool {
        self.0.is_in_trouble.load(Ordering::Relaxed)
    }

    /// Makes it last. After an error nobody knows whether it does. Refused if a statement of it failed: the server would answer to a
    /// `COMMIT` then as if all were well, and keep nothing.
    pub(crate) async fn commit(self) -> Result<(), Failure> {
        if self.0.has_failed.load(Ordering::Relaxed) {
            self.roll_back().await?;
            return Err(Failure::Undone);
        }
        self.end("COMMIT").await
    }

    pub(crate) async fn roll_back(self) -> Result<(), Failure> {
        let unsent = std::mem::take(&mut *self.lock_unsent());
        if let Some(Unsent::Opening(_)) = unsent.first() {
            self.leave_connection();
            return Ok(());
        }
        self.end(ROLLBACK).await
    }

    async fn end(&self, how: &str) -> Result<(), Failure> {
        let connection = self.connection()?;
        self.send(&connection, how, connection.batch_execute(how)).await?;
        drop(connection);
        self.leave_connection();
        Ok(())
    }

    /// The connection goes back to its pool.
    fn leave_connection(&self) {
        self.0.connection.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn noted(&self, failure: Failure) -> Failure {
        self.0.has_failed.store(true, Ordering::Relaxed);
        if failure.is_passing() {
            self.lose();
        }
        if failure.is_trouble() {
            self.0.is_in_trouble.store(true, Ordering::Relaxed);
        }
        failure
    }

    fn connection(&self) -> Result<Arc<Object>, Failure> {
        let connection = self.0.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection.clone().ok_or_else(|| Failure::NoConnection("its transaction has ended".to_owned()))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let connection = self.connection.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // In the middle of a transaction: not fit for anybody else.
        if let Some(connection) = connection.and_then(Arc::into_inner) {
            drop(Object::take(connection));
        }
    }
}

/// What is durable here does not depend on how the server was set up: a commit waits for the disk.
fn opening(turn: Turn) -> String {
    let limit = STATEMENT_LIMIT.as_millis();
    let begin = match turn {
        Turn::Reading => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        Turn::Following => "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY",
        Turn::Free | Turn::InOrder | Turn::Beside(_) | Turn::Alone(_) => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
    };
    let lock = match turn {
        Turn::Reading | Turn::Following | Turn::Free => String::new(),
        Turn::InOrder => format!("; {IN_ORDER}"),
        Turn::Beside(organization) => format!("; SELECT pg_advisory_xact_lock_shared({})", lock_of(organization)),
        Turn::Alone(organization) => format!("; SELECT pg_advisory_xact_lock({})", lock_of(organization)),
    };
    let settings = match turn {
        // Lists are read by an index and in its order, also while the server knows nothing of the rows yet.
        Turn::Reading | Turn::Following => "SET LOCAL enable_bitmapscan = off".to_owned(),
        Turn::Free | Turn::InOrder | Turn::Beside(_) | Turn::Alone(_) => {
            format!("SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = {}", LOCK_LIMIT.as_millis())
        }
    };
    // No statement is worth being compiled.
    let idle = IDLE_LIMIT.as_millis();
    let limits = format!("SET LOCAL statement_timeout = {limit}; SET LOCAL idle_in_transaction_session_timeout = {idle}");
    format!("{begin}; {limits}; SET LOCAL jit = off; {settings}{lock}")
}

/// The lock of an organization, by the random end of its id. Two that share one wait for each other now and then.
pub(crate) fn lock_of(organization: OrganizationId) -> i64 {
    let (_, end) = organization.uuid().as_u64_pair();
    i64::from_ne_bytes(end.to_ne_bytes())
}

#[cfg(test)]
mod tests {
    use preclinical_testkit::postgres;

    use super::*;
    use crate::pool::Connections;

    #[tokio::test]
    async fn whoever_overlooks_that_a_statement_failed_is_not_told_that_it_was_kept() {
        let Some(database) = postgres::empty().await else { return };
        let connections = Connections::new(&database.url.parse().unwrap(), 1).unwrap();
        let begin = async || Transaction::begin(connections.get().await.unwrap(), Turn::Free);
        let transaction = begin().await;
        transaction.batch("CREATE TABLE t (number BIGINT PRIMARY KEY); INSERT INTO t VALUES (1)").await.unwrap();
        transaction.commit().await.unwrap();

        let transaction = begin().await;
        transaction.run("INSERT INTO t VALUES (2)", &[]).await.unwrap();
        assert!(transaction.run("INSERT INTO t VALUES (1)", &[]).await.unwrap_err().is_taken());
        assert!(matches!(transaction.commit().await, Err(Failure::Undone)));
        assert_eq!(begin().await.rows("SELECT FROM t", &[]).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_statement_by_itself_leaves_its_connection_as_it_was_and_one_that_failed_leaves_none() {
        let Some(database) = postgres::empty().await else { return };
        let connections = Connections::new(&database.url.parse().unwrap(), 1).unwrap();
        let pid = async || {
            let one = Transaction::rows_of_one(connections.get().await.unwrap(), "SELECT pg_backend_pid()", &[]).await;
            one.unwrap()[0].get::<_, i32>(0)
        };
        let first = pid().await;
        assert_eq!(pid().await, first);
        let connection = connections.get().await.unwrap();
        Transaction::rows_of_one(connection, "SELECT 1 / 0", &[]).await.unwrap_err();
        assert_ne!(pid().await, first);
    }

    #[tokio::test]
    async fn nothing_is_kept_of_a_transaction_that_did_not_begin() {
        let Some(database) = postgres::empty().await else { return };
        let connections = Connections::new(&database.url.parse().unwrap(), 1).unwrap();
        let begin = async || Transaction::begin(connections.get().await.unwrap(), Turn::Free);
        let transaction = begin().await;
        transaction.batch("CREATE TABLE t (number BIGINT PRIMARY KEY)").await.unwrap();
        transaction.commit().await.unwrap();

        let write = "INSERT INTO t VALUES (1)";
        let unbegun = async || {
            let transaction = begin().await;
            *transaction.lock_unsent() = vec![Unsent::Opening("SELECT 1 / 0".to_owned())];
            transaction
        };
        let overlooked = unbegun().await;
        overlooked.rows("SELECT 1", &[]).await.unwrap_err();
        overlooked.run(write, &[]).await.unwrap_err();
        assert!(matches!(overlooked.commit().await, Err(Failure::Undone)));

        let with_a_look = unbegun().await;
        with_a_look.run_along(write, &[]).unwrap();
        with_a_look.rows("SELECT 1", &[]).await.unwrap_err();
        drop(with_a_look);
        let with_the_end = unbegun().await;
        with_the_end.run_along(write, &[]).unwrap();
        with_the_end.commit().await.unwrap_err();
        let at_once = unbegun().await;
        at_once.run(write, &[]).await.unwrap_err();
        at_once.roll_back().await.unwrap();
        assert_eq!(begin().await.rows("SELECT FROM t", &[]).await.unwrap().len(), 0);
    }
}
