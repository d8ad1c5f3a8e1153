//! Transactions that write: made again where others were in the way, told of after the commit.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use preclinical_core::port::StoreError;

use crate::{
    bells::Bells,
    condition::Condition,
    failure::{Failure, unavailable},
    pool::Connections,
    queue::{Rest, cancel_part},
    transaction::{CALL_LIMIT, Transaction, Turn},
};

/// How often a transaction that lost against others is made.
const TRIES: u32 = 5;

/// The connections that write.
pub(crate) struct Writers {
    pub(crate) connections: Connections,
    condition: Arc<Condition>,
    bells: Arc<Bells>,
}

impl Writers {
    pub(crate) fn new(connections: Connections, condition: &Arc<Condition>, bells: &Arc<Bells>) -> Self {
        Self { connections, condition: Arc::clone(condition), bells: Arc::clone(bells) }
    }

    /// Carries out `job` in a transaction and answers after its commit. An `Err` of the job undoes it. What lost against another
    /// transaction is made again, so a job may run several times. What it leaves to be canceled is canceled before the answer, too, in
    /// transactions of its own; an error then does not undo the job.
    pub(crate) async fn run<'job, T, E: From<StoreError>>(
        &self,
        turn: Turn,
        job: impl Fn(Transaction) -> BoxFuture<'job, Result<T, E>>,
    ) -> Result<T, E> {
        let (value, mut rest) = self.until_kept(turn, job).await?;
        while let Some(part) = rest {
            let cancel = |transaction: Transaction| -> BoxFuture<'_, Result<Option<Rest>, StoreError>> {
                Box::pin(async move { cancel_part(&transaction, part).await.map_err(unavailable) })
            };
            (rest, _) = self.until_kept(Turn::Alone(part.organization), cancel).await?;
        }
        Ok(value)
    }

    /// Tries until nobody is in the way; with what is left then.
    async fn until_kept<'job, T, E: From<StoreError>>(
        &self,
        turn: Turn,
        job: impl Fn(Transaction) -> BoxFuture<'job, Result<T, E>>,
    ) -> Result<(T, Option<Rest>), E> {
        let mut tries = 0;
        loop {
            tries += 1;
            let once = tokio::time::timeout(CALL_LIMIT, self.once(turn, &job)).await;
            let (outcome, lost) = once.unwrap_or_else(|_| (Err(self.failed(Failure::TooSlow).into()), false));
            if !lost || tries == TRIES {
                return outcome;
            }
        }
    }

    /// One try, and whether it would be worth another.
    async fn once<'job, T, E: From<StoreError>>(
        &self,
        turn: Turn,
        job: impl Fn(Transaction) -> BoxFuture<'job, Result<T, E>>,
    ) -> (Result<(T, Option<Rest>), E>, bool) {
        let transaction = match self.connections.get().await {
            Ok(connection) => Transaction::begin(connection, turn),
            Err(failure) => return (Err(self.failed(failure).into()), false),
        };
        let ended = match job(transaction.clone()).await {
            Ok(value) => {
                let news = transaction.news();
                match transaction.clone().commit().await {
                    Ok(()) => {
                        self.condition.note_success();
                        self.bells.announce(news);
                        Ok((value, transaction.rest()))
                    }
                    Err(failure) => Err(self.failed(failure).into()),
                }
            }
            Err(error) => {
                if transaction.is_in_trouble() {
                    self.condition.note_trouble(&StoreError::Unavailable("PostgreSQL refuses statements".to_owned()));
                }
                // A connection that cannot even do that is not used again.
                let _ = transaction.clone().roll_back().await;
                Err(error)
            }
        };
        (ended, transaction.is_lost())
    }

    fn failed(&self, failure: Failure) -> StoreError {
        let is_trouble = failure.is_trouble();
        let error = unavailable(failure);
        if is_trouble {
            self.condition.note_trouble(&error);
        }
        error
    }
}
