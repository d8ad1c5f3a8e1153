//! How much is tried of what is made by chance.

/// A factor for longer runs than the tests make by themselves.
const FACTOR: &str = "PRECLINICAL_TEST_FUZZ";

/// So many cases, or as many times more as whoever runs the tests asked for with `PRECLINICAL_TEST_FUZZ`.
#[must_use]
pub fn cases(usual: u32) -> u32 {
    let factor = std::env::var(FACTOR).ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    usual.saturating_mul(factor)
}
