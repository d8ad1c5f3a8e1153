//! Where randomness comes from.

/// A source of random bytes: a cryptographically secure one in the binary, a seeded one in tests.
pub trait Chance: Send + Sync + 'static {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);

    /// A number in `0.0..1.0`, uniformly distributed.
    fn fraction(&self) -> f64 {
        let mut bytes = [0_u8; 4];
        self.fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }
}
