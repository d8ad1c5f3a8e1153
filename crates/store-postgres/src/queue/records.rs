//! Records that wait while others are written go into the next transaction together.

use std::sync::Arc;

use preclinical_core::port::{AttemptRecord, StoreError};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
};

use super::recording::{Recorded, record_all};
use crate::{failure::unavailable, transaction::Turn, writing::Writers};

/// Records that may wait. Beyond it the store says that it is unavailable instead of growing.
const MAX_WAITING: usize = 4096;

/// Records that share a transaction at most.
const MAX_GROUP: usize = 128;

/// Transactions under way at once: one is collected while another waits for the disk.
const WRITERS: usize = 2;

struct Waiting {
    record: AttemptRecord,
    answer: oneshot::Sender<Result<Written, StoreError>>,
}

/// What came of a record that waited.
pub(crate) enum Written {
    /// It is kept.
    Kept,
    /// Its lease was lost.
    LeaseLost,
    /// Nothing yet: it disables its webhook, which is done alone.
    Disabling(Box<AttemptRecord>),
}

/// Why records were not written together.
enum Refused {
    Store(StoreError),
    /// These disable their webhooks.
    Disabling(Vec<usize>),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
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
    pub(crate) async fn write(&self, record: AttemptRecord) -> Result<Written, StoreError> {
        let (answer, answered) = oneshot::channel();
        let waits = self.waiting.try_send(Waiting { record, answer });
        waits.map_err(|_| StoreError::Unavailable("too many records are waiting".to_owned()))?;
        answered.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the store was closed".to_owned())))
    }
}

async fn serve(writers: Arc<Writers>, next: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
    loop {
        let mut group = Vec::new();
        if next.lock().await.recv_many(&mut group, MAX_GROUP).await == 0 {
            return;
        }
        while !group.is_empty() {
            group = write(&writers, group).await;
        }
    }
}

/// Writes a group and answers it; with those that are to be tried again without what was in their way.
async fn write(writers: &Writers, group: Vec<Waiting>) -> Vec<Waiting> {
    let records: Vec<_> = group.iter().map(|one| &one.record).collect();
    match write_all(writers, &records).await {
        Ok(held) => {
            for (one, held) in group.into_iter().zip(held) {
                let _ = one.answer.send(Ok(if held { Written::Kept } else { Written::LeaseLost }));
            }
        }
        Err(Refused::Disabling(those)) => {
            let mut rest = Vec::new();
            for (index, Waiting { record, answer }) in group.into_iter().enumerate() {
                if those.contains(&index) {
                    let _ = answer.send(Ok(Written::Disabling(Box::new(record))));
                } else {
                    rest.push(Waiting { record, answer });
                }
            }
            return rest;
        }
        // One that the server refuses must not take the others along.
        Err(Refused::Store(StoreError::Corrupt(_))) if group.len() > 1 => {
            for one in group {
                Box::pin(write(writers, vec![one])).await;
            }
        }
        Err(Refused::Store(error)) => group.into_iter().for_each(|one| drop(one.answer.send(Err(error.clone())))),
    }
    Vec::new()
}

async fn write_all(writers: &Writers, records: &[&AttemptRecord]) -> Result<Vec<bool>, Refused> {
    writers
        .run(Turn::Free, |transaction| {
            Box::pin(async move {
                let Recorded { held, verdicts } = record_all(&transaction, records).await.map_err(unavailable)?;
                let disabling: Vec<_> = verdicts.into_iter().map(|(index, _)| index).collect();
                if disabling.is_empty() { Ok(held) } else { Err(Refused::Disabling(disabling)) }
            })
        })
        .await
}
