//! What a store holds for a time only is forgotten, in batches and beside everything else.

use std::{sync::Arc, time::Duration};

use preclinical_core::{
    clock::Clock,
    idempotency::REMEMBERED,
    port::{Store, StoreError},
};

/// Rows that one transaction forgets, so that no commit waits long for it.
const BATCH: u32 = 500;

/// The pause after a round; also after a failed one.
const PAUSE: Duration = Duration::from_mins(5);

/// Forgets what has had its time.
pub struct Housekeeping {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl Housekeeping {
    /// Does nothing until [`Self::run`] or [`Self::tick`] is called.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Forgets one batch of the calls that began [`REMEMBERED`] ago; answers whether there may be more.
    pub async fn tick(&self) -> Result<bool, StoreError> {
        let Ok(before) = self.clock.now().checked_sub(REMEMBERED) else { return Ok(false) };
        self.store.forget_calls(before, BATCH).await.map(|forgotten| forgotten == u64::from(BATCH))
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
