//! Whether what is written is kept: what the latest transactions said.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use preclinical_core::port::StoreError;

/// How often an unwell store tries to write because somebody asks how it is.
const TRIED_EVERY: SignedDuration = SignedDuration::from_secs(1);

#[derive(Debug, Default)]
pub(crate) struct Condition(Mutex<Option<Trouble>>);

/// Why the latest transaction failed, and when somebody who asked had a write tried.
#[derive(Debug)]
struct Trouble {
    error: StoreError,
    tried_at: Option<Timestamp>,
}

impl Condition {
    /// A transaction was kept.
    pub(crate) fn note_success(&self) {
        *self.trouble() = None;
    }

    /// One was not, and not because of what it asked for.
    pub(crate) fn note_trouble(&self, error: &StoreError) {
        let mut trouble = self.trouble();
        let tried_at = trouble.as_ref().and_then(|trouble| trouble.tried_at);
        *trouble = Some(Trouble { error: error.clone(), tried_at });
    }

    /// Whether a write is to be tried now, because nobody knows whether the store is well again. An error while it is known that it
    /// is not.
    pub(crate) fn is_to_be_tried(&self, now: Timestamp) -> Result<bool, StoreError> {
        let mut trouble = self.trouble();
        let Some(trouble) = trouble.as_mut() else { return Ok(false) };
        if trouble.tried_at.is_some_and(|at| now.duration_since(at).abs() < TRIED_EVERY) {
            return Err(trouble.error.clone());
        }
        trouble.tried_at = Some(now);
        Ok(true)
    }

    fn trouble(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
