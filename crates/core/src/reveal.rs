//! Reveals: who was shown a webhook's secret on the pages, and when.

use jiff::Timestamp;

use crate::member::Email;

/// How many reveals of a webhook are kept, the newest.
pub const KEPT_REVEALS: u32 = 50;

/// Somebody was shown the secret of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretReveal {
    /// By what address the member signed in then.
    pub by: Email,
    /// When it was.
    pub at: Timestamp,
}
