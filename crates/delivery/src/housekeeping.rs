//! What a store holds for a time only is forgotten, in batches and beside everything else.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    clock::Clock,
    idempotency::REMEMBERED,
    port::{Store, StoreError},
};

/// Calls that one transaction forgets, so that no commit waits long for it.
const CALLS: u32 = 500;

/// Deliveries that one transaction forgets; each has bodies.
const DELIVERIES: u32 = 100;

/// The pause after a round; also after a failed one.
const PAUSE: Duration = Duration::from_mins(5);

/// Forgets what has had its time.
pub struct Housekeeping {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    keep: Option<SignedDuration>,
}

impl Housekeeping {
    /// Does nothing until [`Self::run`] or [`Self::tick`] is called. Deliveries are kept that long after their end; without a length,
    /// for ever.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, keep: Option<SignedDuration>) -> Self {
        Self { store, clock, keep }
    }

    /// Forgets one batch of the calls that began [`REMEMBERED`] ago, and one of the deliveries that have had their time; answers
    /// whether there may be more.
    pub async fn tick(&self) -> Result<bool, StoreError> {
        let mut more = false;
        if let Some(before) = self.ago(REMEMBERED) {
            more |= self.store.forget_calls(before, CALLS).await? >= u64::from(CALLS);
        }
        if let Some(before) = self.keep.and_then(|keep| self.ago(keep)) {
            more |= self.store.forget_deliveries(before, DELIVERIES).await? >= u64::from(DELIVERIES);
        }
        Ok(more)
    }

    fn ago(&self, length: SignedDuration) -> Option<Timestamp> {
        self.clock.now().checked_sub(length).ok()
    }

    /// Ticks for ever.
    pub async fn run(self) {
        loop {
            match self.tick().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "what had its time was not forgotten; it is tried again"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
