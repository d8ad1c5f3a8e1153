//! Keys that are looked up while another look is under way are looked up with the next: every call asks whose key it bears.

use jiff::Timestamp;
use preclinical_core::{
    api_key::{ApiKey, ApiKeyHash},
    port::StoreError,
};
use tokio::sync::oneshot;

use super::keys;
use crate::{
    PostgresStore,
    lines::{self, Joined, Lines},
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
    let (answer, mut answered) = oneshot::channel();
    match store.0.lookups.join((), Sought { hash, answer }) {
        Joined::TooMany => return Err(StoreError::Unavailable("too many keys are looked up".to_owned())),
        Joined::ToBeServed => drop(tokio::spawn(serve(store.clone()))),
        Joined::Waits => {}
    }
    let found: Option<ApiKey> = lines::answer_of(&mut answered).await?;
    Ok(found.filter(|key| key.is_in_force(at)))
}

async fn serve(store: PostgresStore) {
    let mut serving = store.0.lookups.serve(());
    loop {
        let group = serving.next();
        if group.is_empty() {
            return;
        }
        let hashes = group.iter().map(|one| *one.hash.bytes()).collect();
        let found = keys::find(&store, hashes).await;
        for Sought { hash, answer } in group {
            let found = found.as_ref().map_err(Clone::clone);
            // One that cannot be read is no other's trouble.
            let _ = answer.send(found.and_then(|keys| keys.get(hash.bytes()).cloned().transpose()));
        }
    }
}
