//! Records that wait while others are written go into the next transaction together.

use std::sync::Arc;

use preclinical_core::port::{AttemptRecord, RecordError, StoreError};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
};

use super::recording::record_all;
use crate::{failure::unavailable, transaction::Turn, writing::Writers};

/// Records that may wait. Beyond it the store says that it is unavailable instead of growing.
const MAX_WAITING: usize = 4096;

/// Records that share a transaction at most.
const MAX_GROUP: usize = 128;

/// Transactions under way at once: one is collected while another waits for the disk.
const WRITERS: usize = 2;

struct Waiting {
    record: AttemptRecord,
    answer: oneshot::Sender<Result<(), RecordError>>,
}

/// Where records wait; dropping it ends its tasks.
pub(crate) struct Records {
    waiting: mpsc::Sender<Waiting>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Records {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Records {
    pub(crate) fn start(writers: &Arc<Writers>) -> Self {
        let (waiting, next) = mpsc::channel(MAX_WAITING);
        let next = Arc::new(Mutex::new(next));
        let task = |_| tokio::spawn(serve(Arc::clone(writers), Arc::clone(&next)));
        Self { waiting, tasks: (0..WRITERS).map(task).collect() }
    }

    /// Answers after the commit that holds the record.
    pub(crate) async fn write(&self, record: AttemptRecord) -> Result<(), RecordError> {
        let (answer, answered) = oneshot::channel();
        let waits = self.waiting.try_send(Waiting { record, answer });
        waits.map_err(|_| StoreError::Unavailable("too many records are waiting".to_owned()))?;
        answered.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the store was closed".to_owned()).into()))
    }
}

async fn serve(writers: Arc<Writers>, next: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
    loop {
        let mut group = Vec::new();
        if next.lock().await.recv_many(&mut group, MAX_GROUP).await == 0 {
            return;
        }
        let (records, answers): (Vec<_>, Vec<_>) = group.into_iter().map(|one| (one.record, one.answer)).unzip();
        match write_all(&writers, &records).await {
            Ok(held) => {
                for (answer, held) in answers.into_iter().zip(held) {
                    let _ = answer.send(if held { Ok(()) } else { Err(RecordError::LeaseLost) });
                }
            }
            // One that the server refuses must not take the others along.
            Err(StoreError::Corrupt(_)) if records.len() > 1 => {
                for (answer, record) in answers.into_iter().zip(&records) {
                    let _ = answer.send(write_one(&writers, record).await);
                }
            }
            Err(error) => answers.into_iter().for_each(|answer| drop(answer.send(Err(error.clone().into())))),
        }
    }
}

async fn write_one(writers: &Writers, record: &AttemptRecord) -> Result<(), RecordError> {
    let held = write_all(writers, std::slice::from_ref(record)).await?;
    if held == [true] { Ok(()) } else { Err(RecordError::LeaseLost) }
}

async fn write_all(writers: &Writers, records: &[AttemptRecord]) -> Result<Vec<bool>, StoreError> {
    let records: &Vec<_> = &records.iter().collect();
    writers
        .run(Turn::Free, |transaction| Box::pin(async move { record_all(&transaction, records).await.map_err(unavailable) }))
        .await
}
