//! Keys that are looked up while another look is under way are looked up with the next: every call asks whose key it bears.

use std::collections::HashMap;

use jiff::Timestamp;
use preclinical_core::{
    api_key::{ApiKey, ApiKeyHash},
    port::StoreError,
};
use tokio::sync::oneshot;

use super::keys;
use crate::{
    PostgresStore,
    lines::{Joined, Lines},
};

/// Keys that share a look at most.
const MAX_GROUP: usize = 256;

/// Looks under way at once; a connection is left for whoever else glances.
const LOOKS: usize = 1;

/// A key that is looked up.
pub(crate) struct Sought {
    hash: ApiKeyHash,
    answer: oneshot::Sender<Result<Option<ApiKey>, StoreError>>,
}

/// Where they wait.
pub(crate) type Lookups = Lines<(), Sought>;

pub(crate) fn lookups() -> Lookups {
    Lines::new(LOOKS, MAX_GROUP)
}

/// The key as it is known after this was called, so that a revocation holds from the next call on.
pub(super) async fn find_in_force(
    store: &PostgresStore,
    hash: ApiKeyHash,
    at: Timestamp,
) -> Result<Option<ApiKey>, StoreError> {
    let (answer, answered) = oneshot::channel();
    match store.0.lookups.join((), Sought { hash, answer }) {
        Joined::TooMany => return Err(StoreError::Unavailable("too many keys are looked up".to_owned())),
        Joined::ToBeServed => drop(tokio::spawn(serve(store.clone()))),
        Joined::Waits => {}
    }
    let found = answered.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the store was closed".to_owned())))?;
    Ok(found.filter(|key| key.is_in_force(at)))
}

async fn serve(store: PostgresStore) {
    loop {
        let group = store.0.lookups.next(());
        if group.is_empty() {
            return;
        }
        let hashes = group.iter().map(|one| *one.hash.bytes()).collect();
        let found = store.glance(|transaction| Box::pin(async move { keys::find(&transaction, hashes).await })).await;
        let found = found.map(|keys| keys.into_iter().map(|key| (*key.hash.bytes(), key)).collect::<HashMap<_, _>>());
        for Sought { hash, answer } in group {
            let _ = answer.send(found.as_ref().map(|keys| keys.get(hash.bytes()).cloned()).map_err(Clone::clone));
        }
    }
}
