//! Chance that can be repeated from its seed.

use std::time::Duration;

use preclinical_core::chance::Chance;
use preclinical_testkit::chance::SeededChance;

/// A generator of its own for whoever throws it.
pub struct Dice(SeededChance);

impl Dice {
    /// The dice of one proof, which do not depend on which other proofs run.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let purpose = purpose.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        Self(SeededChance::new(seed ^ purpose))
    }

    /// A number from 0 to one less than `limit`.
    pub fn below(&self, limit: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % limit.max(1)
    }

    /// An index of a list of that length; 0 if it is empty.
    pub fn index(&self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    /// A time shorter than `limit`, to the microsecond.
    pub fn shorter_than(&self, limit: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(limit.as_micros()).unwrap_or(u64::MAX)))
    }
}
