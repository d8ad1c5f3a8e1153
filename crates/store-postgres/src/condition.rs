//! Whether what is written is kept: what the latest commit said.

use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Condition(AtomicBool);

impl Condition {
    /// Takes down how a commit ended.
    pub(crate) fn note(&self, was_kept: bool) {
        self.0.store(!was_kept, Ordering::Relaxed);
    }

    /// Whether the latest commit failed.
    pub(crate) fn is_unwell(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
