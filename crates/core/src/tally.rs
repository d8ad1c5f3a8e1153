//! Counts of scenario verdicts and the pass rate that follows from them.

/// How many scenarios passed, failed and ended in an error, of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Scenarios that passed.
    pub passed: u32,
    /// Scenarios that failed.
    pub failed: u32,
    /// Scenarios that could not be judged.
    pub error: u32,
    /// Scenarios of the run; for a run that was cut short, more than the three above together.
    pub total: u32,
}

impl Tally {
    /// The pass rate of these counts.
    pub fn pass_rate(self) -> PassRate {
        PassRate::of(self.passed, self.total)
    }

    /// Scenarios with a verdict. Wide enough for any three counts.
    pub fn judged(self) -> u64 {
        u64::from(self.passed) + u64::from(self.failed) + u64::from(self.error)
    }
}

/// Passed / total × 100, rounded half-even to two decimals. Kept as hundredths of a percent, so no binary fraction rounds twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PassRate(u32);

impl PassRate {
    /// The pass rate of `passed` out of `total`; 0 when `total` is 0, at most 100.
    pub fn of(passed: u32, total: u32) -> Self {
        if total == 0 {
            return Self(0);
        }
        let numerator = u64::from(passed.min(total)) * 10_000;
        let total = u64::from(total);
        let (floor, rest) = (numerator / total, numerator % total);
        let up = match (rest * 2).cmp(&total) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => floor % 2,
            std::cmp::Ordering::Greater => 1,
        };
        Self(u32::try_from(floor + up).unwrap_or(10_000))
    }

    /// The rate in percent, 0–100. JSON prints it with one decimal at least: `85.0`, `66.67`.
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl serde::Serialize for PassRate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.percent())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(passed: u32, total: u32) -> String {
        serde_json::to_string(&PassRate::of(passed, total)).unwrap()
    }

    #[test]
    fn the_documented_examples_come_out_to_the_letter() {
        assert_eq!(json(17, 20), "85.0");
        assert_eq!(json(2, 3), "66.67");
        assert_eq!(json(0, 0), "0.0");
        assert_eq!(json(0, 7), "0.0");
        assert_eq!(json(7, 7), "100.0");
    }

    #[test]
    fn a_tie_goes_to_the_even_hundredth() {
        assert_eq!(json(1, 32), "3.12", "3.125 lies between 3.12 and 3.13");
        assert_eq!(json(3, 32), "9.38", "9.375 lies between 9.37 and 9.38");
    }

    proptest! {
        #[test]
        fn a_rate_is_within_half_a_hundredth_of_the_exact_value(total in 1_u32.., share in 0.0..=1.0_f64) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let passed = (f64::from(total) * share) as u32;
            let rate = PassRate::of(passed, total).percent();
            let exact = f64::from(passed) / f64::from(total) * 100.0;
            prop_assert!((rate - exact).abs() <= 0.005 + 1e-9);
            prop_assert!((0.0..=100.0).contains(&rate));
        }

        #[test]
        fn the_json_has_one_or_two_decimals(passed in 0_u32..5_000, total in 0_u32..5_000) {
            let text = json(passed, total);
            let decimals = text.split_once('.').map(|(_, decimals)| decimals.len());
            prop_assert!(matches!(decimals, Some(1 | 2)), "{text}");
        }
    }
}
