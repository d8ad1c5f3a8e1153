//! The readers: threads with a connection each, so that a long page never holds up a commit or the async runtime.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::{Sender, TrySendError};
use preclinical_core::port::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::row::unavailable;

/// Calls that may wait. Beyond it the store says that it is unavailable instead of growing.
const MAX_WAITING: usize = 4096;

type Job = Box<dyn FnOnce(&Connection) + Send>;

pub(crate) struct ReaderPool {
    jobs: Sender<Job>,
}

impl ReaderPool {
    /// Starts a thread per connection; they end when the last handle is dropped.
    pub(crate) fn start(connections: Vec<Connection>) -> Self {
        let (jobs, waiting) = crossbeam_channel::bounded::<Job>(MAX_WAITING);
        for connection in connections {
            let waiting = waiting.clone();
            std::thread::spawn(move || {
                while let Ok(job) = waiting.recv() {
                    // Whoever asked hears that the readers have ended; the snapshot was dropped on the way.
                    let _ = catch_unwind(AssertUnwindSafe(|| job(&connection)));
                }
            });
        }
        Self { jobs }
    }

    /// Carries out `job` on one consistent snapshot of the database.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let _ = reply.send(on_snapshot(connection, job));
        });
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Unavailable("too many reads are waiting".into()),
            TrySendError::Disconnected(_) => StoreError::Unavailable("the readers have ended".into()),
        })?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the readers have ended".into())))
    }
}

fn on_snapshot<T>(connection: &Connection, job: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let snapshot = connection.unchecked_transaction().map_err(unavailable)?;
    let outcome = job(&snapshot);
    drop(snapshot);
    outcome
}
