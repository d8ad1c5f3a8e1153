//! The rules of the store port, on the store that says them in the fewest words.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::port::{Store, Upkeep};
use preclinical_testkit::{conformance::Home, reference::ReferenceStore};

/// Nothing of it is anywhere else, so whoever takes over takes the store itself.
struct Memory(ReferenceStore);

#[async_trait]
impl Home for Memory {
    async fn take_over(&self, now: Timestamp) -> (Arc<dyn Store>, u64) {
        let due = self.0.void_dead_leases(now).await.unwrap();
        (Arc::new(self.0.clone()), due)
    }
}

#[allow(clippy::unused_async, clippy::unnecessary_wraps, reason = "other stores lie behind a network, and can be left out")]
async fn fresh() -> Option<(Arc<dyn Store>, Memory)> {
    let store = ReferenceStore::default();
    Some((Arc::new(store.clone()), Memory(store)))
}

preclinical_testkit::conformance_suite!(crate::fresh);
