//! Runs that end while others of their organization do end with the next of them, in one transaction.

use std::sync::Arc;

use preclinical_core::{
    id::OrganizationId,
    port::{Admission, Fate, Finish, FinishError, Finished, StoreError},
};
use tokio::sync::oneshot;

use super::finishing::{self, End};
use crate::{
    PostgresStore,
    lines::{self, Joined, Lines},
    transaction::Turn,
};

/// Runs that share a transaction at most.
const MAX_GROUP: usize = 64;

/// Transactions under way at once for an organization at most.
const WRITERS: usize = 2;

/// A run that is to end.
pub(crate) struct Waiting {
    finish: Finish,
    answer: oneshot::Sender<Result<Finished, FinishError>>,
}

/// Where they wait, each organization's apart: one that somebody is alone with holds up no other.
pub(crate) type Endings = Lines<OrganizationId, Waiting>;

pub(crate) fn endings() -> Endings {
    Lines::new(WRITERS, MAX_GROUP)
}

/// Answers after the commit that holds the end of the run.
pub(super) async fn finish(store: &PostgresStore, finish: Finish) -> Result<Finished, FinishError> {
    let (organization, (answer, answered)) = (finish.organization_id, oneshot::channel());
    let mut caller = Caller { store, places: Arc::clone(&finish.dispatch.places), answered };
    match store.0.endings.join(organization, Waiting { finish, answer }) {
        Joined::TooMany => return Err(StoreError::Unavailable("too many runs are ending".to_owned()).into()),
        Joined::ToBeServed => drop(tokio::spawn(serve(store.clone(), organization))),
        Joined::Waits => {}
    }
    lines::answer_of(&mut caller.answered).await
}

/// Whoever waits for the end of a run. Should nobody hear the answer any more, the lease in it is in doubt.
struct Caller<'a> {
    store: &'a PostgresStore,
    places: Arc<dyn Admission>,
    answered: oneshot::Receiver<Result<Finished, FinishError>>,
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.answered.close();
        if let Ok(Ok(Finished { fate: Fate::Claimed(_), .. })) = self.answered.try_recv() {
            self.store.0.node.doubt(self.places.granted());
        }
    }
}

async fn serve(store: PostgresStore, organization: OrganizationId) {
    let mut serving = store.0.endings.serve(organization);
    loop {
        let mut group = serving.next();
        if group.is_empty() {
            return;
        }
        // Who does not wait any more was told nothing.
        group.retain(|one| !one.answer.is_closed());
        while !group.is_empty() {
            group = write(&store, organization, group).await;
        }
    }
}

/// Ends a group and answers it; with those that have to come after what was written here.
async fn write(store: &PostgresStore, organization: OrganizationId, group: Vec<Waiting>) -> Vec<Waiting> {
    let finishes: Vec<_> = group.iter().map(|one| &one.finish).collect();
    let (holder, finishes) = (store.holder(), &finishes[..]);
    let ended = store.write(Turn::Free, |transaction| {
        Box::pin(async move { finishing::finish(&transaction, holder, organization, finishes).await })
    });
    let mut later = Vec::new();
    match ended.await {
        Ok(ends) => {
            for (one, end) in group.into_iter().zip(ends) {
                match end {
                    End::Ended(end) => answer(store, one, Ok(*end)),
                    End::Refused(error) => answer(store, one, Err(error)),
                    End::Later => later.push(one),
                }
            }
        }
        // One that the server refuses must not take the others along.
        Err(StoreError::Corrupt(_)) if group.len() > 1 => {
            for one in group {
                Box::pin(write(store, organization, vec![one])).await;
            }
        }
        Err(error) => group.into_iter().for_each(|one| answer(store, one, Err(error.clone().into()))),
    }
    later
}

/// Answers a call. Its lease is in doubt if nobody knows whether it was taken, and if nobody is there any more to use it.
fn answer(store: &PostgresStore, one: Waiting, ended: Result<Finished, FinishError>) {
    let is_in_doubt = matches!(ended, Err(FinishError::Store(_)));
    let places = Arc::clone(&one.finish.dispatch.places);
    let unheard = one.answer.send(ended).is_err_and(|ended| ended.is_ok_and(|it| matches!(it.fate, Fate::Claimed(_))));
    if is_in_doubt || unheard {
        store.0.node.doubt(places.granted());
    }
}
