//! The one writer: a thread that carries out what waits for it in one transaction, then answers everybody.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use preclinical_core::port::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{changes::Bells, condition::Condition, row::unavailable};

/// Calls that may wait. Beyond it the store says that it is unavailable instead of growing.
const MAX_WAITING: usize = 8192;

/// Calls that share a commit at most, so that nobody waits long for the first answer.
const MAX_GROUP: usize = 512;

type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Is given the open transaction, or the reason why there is none.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Answer + Send>;

pub(crate) struct Writer {
    jobs: Sender<Job>,
    /// How its latest commits ended.
    pub(crate) condition: Arc<Condition>,
}

impl Writer {
    /// Starts the thread; it ends when the last handle is dropped, after the work that still waits.
    pub(crate) fn start(connection: Connection, bells: Arc<Bells>) -> Self {
        let (jobs, waiting) = crossbeam_channel::bounded(MAX_WAITING);
        let condition = Arc::<Condition>::default();
        let noted = Arc::clone(&condition);
        std::thread::spawn(move || serve(&connection, &waiting, &bells, &noted));
        Self { jobs, condition }
    }

    /// Carries out `job` in a savepoint of the next group and answers after its commit. An `Err` of the job undoes the job alone.
    pub(crate) async fn run<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let outcome = connection.map_err(E::from).and_then(|connection| in_savepoint(connection, job));
            Box::new(move |commit| {
                // Whoever waited may be gone; the fact is on disk all the same.
                let _ = reply.send(commit.map_err(E::from).and(outcome));
            })
        });
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Unavailable("too many writes are waiting".into()),
            TrySendError::Disconnected(_) => StoreError::Unavailable("the writer has ended".into()),
        })?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the writer has ended".into()).into()))
    }
}

fn in_savepoint<T, E: From<StoreError>>(
    connection: &Connection,
    job: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let step = |sql| connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map_err(unavailable);
    step("SAVEPOINT one_call")?;
    let outcome = job(connection);
    if outcome.is_err() {
        step("ROLLBACK TO one_call")?;
    }
    step("RELEASE one_call")?;
    outcome
}

/// A call that panics is undone alone: its caller hears that the writer has ended, everybody else hears nothing of it.
fn unless_it_panics<T>(connection: &Connection, call: impl FnOnce() -> T) -> Option<T> {
    let outcome = catch_unwind(AssertUnwindSafe(call)).ok();
    if outcome.is_none() {
        let _ = connection.execute_batch("ROLLBACK TO one_call; RELEASE one_call");
    }
    outcome
}

fn commit(connection: &Connection, condition: &Condition) -> Result<(), StoreError> {
    if !connection.is_autocommit() {
        condition.prove(connection)?;
    }
    connection.execute_batch("COMMIT").map_err(unavailable)
}

fn serve(connection: &Connection, waiting: &Receiver<Job>, bells: &Bells, condition: &Condition) {
    while let Ok(first) = waiting.recv() {
        let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(unavailable);
        let mut answers = Vec::new();
        let mut next = Some(first);
        let mut calls = 0;
        while let Some(job) = next {
            calls += 1;
            // A full disk ends the transaction on its own; outside of it a job would commit by itself, in nobody's name.
            let open = match &begun {
                Ok(()) if connection.is_autocommit() => Err(StoreError::Unavailable("the transaction was ended".into())),
                Ok(()) => Ok(connection),
                Err(error) => Err(error.clone()),
            };
            answers.extend(unless_it_panics(connection, || job(open)));
            next = if calls < MAX_GROUP { waiting.try_recv().ok() } else { None };
        }
        let commit = begun.and_then(|()| commit(connection, condition));
        condition.note(&commit);
        if let Err(error) = &commit {
            tracing::error!(%error, calls, "commit failed");
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
        }
        bells.ring();
        for answer in answers {
            answer(commit.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(connection: &Connection, value: i64) -> Result<(), StoreError> {
        connection.execute("INSERT INTO t VALUES (?1)", [value]).map(drop).map_err(unavailable)
    }

    #[tokio::test]
    async fn a_call_that_panics_or_fails_is_undone_alone_and_the_writer_lives_on() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (value INTEGER)").unwrap();
        let writer = Writer::start(connection, Arc::default());
        // Holds the writer until all four calls wait, so that they share one commit.
        let (open, gate) = crossbeam_channel::bounded::<()>(1);
        let held = writer.run(move |_| gate.recv().map_err(|error| StoreError::Unavailable(error.to_string())));
        let good = writer.run(|connection| insert(connection, 1));
        let panics = writer.run::<(), StoreError>(|connection| {
            insert(connection, 2)?;
            panic!("on purpose");
        });
        let fails = writer.run::<(), StoreError>(|connection| {
            insert(connection, 4)?;
            Err(StoreError::Corrupt("on purpose".to_owned()))
        });
        let (held, good, panics, fails, ()) = tokio::join!(held, good, panics, fails, async { open.send(()).unwrap() });
        assert_eq!((held, good), (Ok(()), Ok(())));
        assert!(matches!(panics, Err(StoreError::Unavailable(_))), "{panics:?}");
        assert_eq!(fails, Err(StoreError::Corrupt("on purpose".to_owned())));

        let sum = writer.run(|connection| {
            connection.query_row("SELECT sum(value) FROM t", [], |row| row.get::<_, i64>(0)).map_err(unavailable)
        });
        assert_eq!(sum.await, Ok(1));
    }
}
