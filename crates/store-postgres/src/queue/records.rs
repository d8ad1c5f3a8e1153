//! Records that wait while others are written go into the next transaction together.

use preclinical_core::port::{AttemptRecord, StoreError};
use tokio::sync::oneshot;

use super::recording::{Recorded, record_all};
use crate::{
    PostgresStore,
    failure::unavailable,
    lines::{Joined, Lines},
    transaction::Turn,
};

/// Records that share a transaction at most.
const MAX_GROUP: usize = 128;

/// Transactions under way at once at most.
const WRITERS: usize = 2;

/// A record that waits.
pub(crate) struct Waiting {
    record: AttemptRecord,
    answer: oneshot::Sender<Result<Written, StoreError>>,
}

/// Where records wait.
pub(crate) type Records = Lines<(), Waiting>;

pub(crate) fn records() -> Records {
    Lines::new(WRITERS, MAX_GROUP)
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

/// Answers after the commit that holds the record.
pub(super) async fn write_with_others(store: &PostgresStore, record: AttemptRecord) -> Result<Written, StoreError> {
    let (answer, answered) = oneshot::channel();
    match store.0.records.join((), Waiting { record, answer }) {
        Joined::TooMany => return Err(StoreError::Unavailable("too many records are waiting".to_owned())),
        Joined::ToBeServed => drop(tokio::spawn(serve(store.clone()))),
        Joined::Waits => {}
    }
    answered.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the store was closed".to_owned())))
}

async fn serve(store: PostgresStore) {
    let mut serving = store.0.records.serve(());
    loop {
        let mut group = serving.next();
        if group.is_empty() {
            return;
        }
        while !group.is_empty() {
            group = write(&store, group).await;
        }
    }
}

/// Writes a group and answers it; with those that are to be tried again without what was in their way.
async fn write(store: &PostgresStore, group: Vec<Waiting>) -> Vec<Waiting> {
    let records: Vec<_> = group.iter().map(|one| &one.record).collect();
    match write_all(store, &records).await {
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
                Box::pin(write(store, vec![one])).await;
            }
        }
        Err(Refused::Store(error)) => group.into_iter().for_each(|one| drop(one.answer.send(Err(error.clone())))),
    }
    Vec::new()
}

async fn write_all(store: &PostgresStore, records: &[&AttemptRecord]) -> Result<Vec<bool>, Refused> {
    let queue = &store.0.queue;
    queue
        .run(Turn::Free, |transaction| {
            Box::pin(async move {
                let Recorded { held, verdicts } = record_all(&transaction, records).await.map_err(unavailable)?;
                let disabling: Vec<_> = verdicts.into_iter().map(|(index, _)| index).collect();
                if disabling.is_empty() { Ok(held) } else { Err(Refused::Disabling(disabling)) }
            })
        })
        .await
}
