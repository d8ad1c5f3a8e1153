//! Everything that is left to chance, decided by one seed.

use std::{ops::Range, time::Duration};

use preclinical_core::chance::Chance;
use preclinical_testkit::chance::SeededChance;

pub(crate) struct Dice(SeededChance);

impl Dice {
    /// Independent streams of a seed, so that asking one more question of one leaves the others as they were.
    pub(crate) fn of(seed: u64, stream: u64) -> Self {
        Self(SeededChance::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(stream << 48)))
    }

    pub(crate) fn below(&self, end: u32) -> u32 {
        let mut bytes = [0_u8; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes) % end.max(1)
    }

    /// An index into so many.
    pub(crate) fn index(&self, length: usize) -> usize {
        self.below(u32::try_from(length).unwrap()) as usize
    }

    pub(crate) fn happens(&self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    pub(crate) fn pick<'a, T>(&self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.index(from.len()))
    }

    pub(crate) fn millis(&self, between: Range<u32>) -> Duration {
        Duration::from_millis((between.start + self.below(between.end - between.start)).into())
    }
}
