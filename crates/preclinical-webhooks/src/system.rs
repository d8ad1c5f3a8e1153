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
