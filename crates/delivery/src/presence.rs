//! This process says that it lives, and hears who does not any more.

use std::sync::Arc;

use preclinical_core::port::{BEAT, StoreError};
use tokio::time::MissedTickBehavior;

use crate::engine::Engine;

/// The sign of life of a process that shares its store with others.
pub struct Presence {
    engine: Arc<Engine>,
}

impl Presence {
    /// Does nothing until [`Self::run`] or [`Self::tick`] is called.
    pub fn new(engine: &Arc<Engine>) -> Self {
        Self { engine: Arc::clone(engine) }
    }

    /// Beats once. What a dead process held is due after it, and the engine woken. Answers how many deliveries that were.
    pub async fn tick(&self) -> Result<u64, StoreError> {
        let due = self.engine.store.beat(self.engine.clock.now()).await?;
        if due > 0 {
            tracing::warn!(due, "taking over attempts of a process that died");
            self.engine.note_change();
        }
        Ok(due)
    }

    /// Beats for ever. Whoever cannot is taken for dead by the others, which costs repetitions and nothing else.
    pub async fn run(self) {
        // The first one was that of the start.
        let mut beats = tokio::time::interval_at(tokio::time::Instant::now() + BEAT, BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            if let Err(error) = self.tick().await {
                tracing::warn!(%error, "other processes do not hear that this one lives");
            }
        }
    }
}
