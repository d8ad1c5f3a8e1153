//! The `Retry-After` header of a receiver that asks for patience.

use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};

/// The longest postponement a receiver can ask for.
pub const MAX_POSTPONEMENT: SignedDuration = SignedDuration::from_hours(24);

/// What a receiver asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// That long after its answer.
    Delay(SignedDuration),
    /// At that time.
    Date(Timestamp),
}

impl RetryAfter {
    /// Reads seconds or an HTTP-date; `None` for everything else, among them fractions, signs and `inf`.
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            // A number too long for 64 bits asks for more than is ever granted.
            let seconds: i64 = value.parse().unwrap_or(i64::MAX);
            return Some(Self::Delay(SignedDuration::from_secs(seconds).min(MAX_POSTPONEMENT)));
        }
        let date: SystemTime = httpdate::parse_http_date(value).ok()?;
        // The last days of the year 9999 are beyond what a timestamp holds.
        Some(Self::Date(Timestamp::try_from(date).unwrap_or(Timestamp::MAX)))
    }

    /// The earliest next attempt it asks for, seen from `now`, at most 24 hours away.
    pub fn earliest(self, now: Timestamp) -> Timestamp {
        let limit = now.saturating_add(MAX_POSTPONEMENT).unwrap_or(Timestamp::MAX);
        match self {
            Self::Delay(delay) => now.saturating_add(delay).unwrap_or(limit).min(limit),
            Self::Date(date) => date.min(limit),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-01-30T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn seconds_and_dates_are_read() {
        let earliest = |text| RetryAfter::parse(text).map(|after| after.earliest(now()).to_string());
        assert_eq!(earliest("120").as_deref(), Some("2026-01-30T10:02:00Z"));
        assert_eq!(earliest("Fri, 30 Jan 2026 10:07:00 GMT").as_deref(), Some("2026-01-30T10:07:00Z"));
    }

    #[test]
    fn a_day_is_the_most_that_is_granted() {
        let day_later = "2026-01-31T10:00:00Z";
        for text in ["86401", "9999999999999999999999999", "Fri, 30 Jan 2099 10:07:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"]
        {
            assert_eq!(RetryAfter::parse(text).unwrap().earliest(now()).to_string(), day_later, "{text}");
        }
    }

    #[test]
    fn nonsense_asks_for_nothing() {
        for text in ["", "-5", "+5", "1.5", "1e13", "inf", "NaN", "soon", "Fri, 31 Feb 2026 10:00:00 GMT"] {
            assert_eq!(RetryAfter::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_asks_for_more_than_a_day(text: String, digits in "[0-9]{1,30}") {
            for text in [text, digits] {
                if let Some(after) = RetryAfter::parse(&text) {
                    prop_assert!(after.earliest(now()) <= now() + MAX_POSTPONEMENT);
                }
            }
        }
    }
}
