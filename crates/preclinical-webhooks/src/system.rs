//! The system's clock and random source, read in this one place.

use jiff::Timestamp;
use preclinical_core::{chance::Chance, clock::Clock};
use rand::Rng;

/// The system's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "everybody else asks this")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A cryptographically secure generator, seeded and reseeded by the system.
pub(crate) struct SystemChance;

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// Connections and files that this process should be able to have open: more than attempts and calls can be under way.
const ENOUGH_FILES: u64 = 8192;

/// Raises the number of files this process may have open as far as it may. Attempts fail to connect where that is too low.
pub(crate) fn raise_file_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) if limit < ENOUGH_FILES => {
            tracing::warn!(limit, "few files may be open at once (ulimit -n): connections may be refused");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the number of files that may be open at once cannot be raised"),
    }
}
