//! When keys were last used: noted at most once a minute for each, beside the call and never in its way.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{id::ApiKeyId, port::Store};

const INTERVAL: SignedDuration = SignedDuration::from_mins(1);

/// Keys that are remembered; beyond it those are forgotten that are due again anyway.
const REMEMBERED: usize = 10_000;

/// When the use of a key was last noted, by this process.
#[derive(Default)]
pub(super) struct KeyUses(Mutex<HashMap<ApiKeyId, Timestamp>>);

impl KeyUses {
    /// Notes that a key is used, if that is due. Returns at once; what fails is noted with a later use.
    pub(super) fn note(&self, store: &Arc<dyn Store>, key: ApiKeyId, now: Timestamp) {
        if !self.is_due(key, now) {
            return;
        }
        let store = Arc::clone(store);
        tokio::spawn(async move {
            if let Err(error) = store.note_key_use(key, now).await {
                tracing::warn!(%error, "the use of a key was not noted");
            }
        });
    }

    fn is_due(&self, key: ApiKeyId, now: Timestamp) -> bool {
        let recent = |noted: &Timestamp| now.duration_since(*noted).abs() < INTERVAL;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(&key).is_some_and(recent) {
            return false;
        }
        if all.len() >= REMEMBERED {
            all.retain(|_, noted| recent(noted));
        }
        all.insert(key, now);
        true
    }
}
