//! The system's clock and random source, read in this one place.

use jiff::Timestamp;
use preclinical_core::{chance::Chance, clock::Clock};
use rand::Rng;

/// The system's clock: the one that all processes of a measurement share.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "everybody else asks this")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Microseconds since 1970.
pub(crate) fn now_us() -> i64 {
    SystemClock.now().as_microsecond()
}

/// A generator seeded by the system.
pub(crate) struct SystemChance;

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
