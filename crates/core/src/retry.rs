//! When a delivery is tried again.

use std::{fmt, str::FromStr, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::attempt::Outcome;

/// The most retries a schedule can have.
pub const MAX_RETRIES: usize = 20;

/// The longest wait a schedule can have.
pub const MAX_WAIT: Duration = Duration::from_hours(24);

/// Jitter adds at most this share of the wait, and never takes any away.
const MAX_JITTER: f64 = 0.1;

/// The waits before the 1st, 2nd, … retry, each counted from the end of the attempt before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySchedule(Vec<Duration>);

impl Default for RetrySchedule {
    /// The documented one: 1, 5 and 30 minutes.
    fn default() -> Self {
        Self([1, 5, 30].map(Duration::from_mins).to_vec())
    }
}

/// A text that is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_RETRIES} waits such as 1m,5m,30m (units ms, s, m, h; each at most 24h), not {0:?}")]
pub struct NotASchedule(String);

impl FromStr for RetrySchedule {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let waits: Option<Vec<Duration>> = text.split(',').map(|part| parse_duration(part.trim())).collect();
        match waits {
            Some(waits) if waits.len() <= MAX_RETRIES && waits.iter().all(|wait| *wait <= MAX_WAIT) => Ok(Self(waits)),
            _ => Err(NotASchedule(text.to_owned())),
        }
    }
}

impl fmt::Display for RetrySchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, wait) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let milliseconds = wait.as_millis();
            match (milliseconds % 60_000, milliseconds % 1000) {
                (0, _) => write!(f, "{comma}{}m", milliseconds / 60_000)?,
                (_, 0) => write!(f, "{comma}{}s", milliseconds / 1000)?,
                _ => write!(f, "{comma}{milliseconds}ms")?,
            }
        }
        Ok(())
    }
}

/// A duration as settings write it: a whole number and one of `ms`, `s`, `m`, `h`, `d`. `None` for everything else.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

/// What follows from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// The receiver took it.
    Delivered,
    /// Another attempt, not before that time.
    RetryAt(Timestamp),
    /// No attempt is left.
    Exhausted,
    /// The receiver said `410 Gone`: never again, for this webhook.
    Gone,
}

impl RetrySchedule {
    /// The waits, the first retry's first.
    pub fn waits(&self) -> &[Duration] {
        &self.0
    }

    /// Decides what follows from an attempt that ended at `ended_at` after `failures` failed ones before it.
    ///
    /// `chance` in `0.0..1.0` spreads retries out. The result is never earlier than the schedule says, and at most a tenth of
    /// the wait later, unless a 429 or 503 asked for more patience with `Retry-After`.
    pub fn decide(&self, outcome: &Outcome, failures: u32, ended_at: Timestamp, chance: f64) -> NextStep {
        let (status, retry_after) = match outcome {
            Outcome::Answered { status: 200..=299, .. } => return NextStep::Delivered,
            Outcome::Answered { status: 410, .. } => return NextStep::Gone,
            Outcome::Answered { status, retry_after } => (Some(*status), *retry_after),
            Outcome::Failed(_) => (None, None),
        };
        let Some(wait) = usize::try_from(failures).ok().and_then(|index| self.0.get(index)) else {
            return NextStep::Exhausted;
        };
        let wait = wait.mul_f64(1.0 + MAX_JITTER * chance.clamp(0.0, 1.0));
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        let scheduled = ended_at.saturating_add(wait).unwrap_or(Timestamp::MAX);
        let asked_for =
            retry_after.filter(|_| matches!(status, Some(429 | 503))).map_or(scheduled, |after| after.earliest(ended_at));
        NextStep::RetryAt(scheduled.max(asked_for))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::retry_after::RetryAfter;

    fn now() -> Timestamp {
        "2026-01-30T10:00:00Z".parse().unwrap()
    }

    fn answered(status: u16) -> Outcome {
        Outcome::Answered { status, retry_after: None }
    }

    #[test]
    fn the_documented_schedule_makes_four_attempts() {
        let schedule = RetrySchedule::default();
        let at = |failures| schedule.decide(&answered(500), failures, now(), 0.0);
        let after = |minutes: i64| NextStep::RetryAt(now() + SignedDuration::from_mins(minutes));
        assert_eq!([at(0), at(1), at(2), at(3)], [after(1), after(5), after(30), NextStep::Exhausted]);
    }

    #[test]
    fn only_2xx_is_a_success_and_410_is_the_end() {
        let schedule = RetrySchedule::default();
        for status in 100..=599 {
            let step = schedule.decide(&answered(status), 0, now(), 0.5);
            match status {
                200..=299 => assert_eq!(step, NextStep::Delivered),
                410 => assert_eq!(step, NextStep::Gone),
                _ => assert!(matches!(step, NextStep::RetryAt(_)), "{status}"),
            }
        }
    }

    #[test]
    fn retry_after_postpones_on_429_and_503_and_never_brings_forward() {
        let schedule = RetrySchedule::default();
        let step = |status, seconds: &str| {
            let outcome = Outcome::Answered { status, retry_after: RetryAfter::parse(seconds) };
            schedule.decide(&outcome, 0, now(), 0.0)
        };
        let after = |seconds| NextStep::RetryAt(now() + SignedDuration::from_secs(seconds));
        assert_eq!(step(503, "600"), after(600));
        assert_eq!(step(429, "600"), after(600));
        assert_eq!(step(503, "5"), after(60));
        assert_eq!(step(500, "600"), after(60), "other answers have no say");
    }

    #[test]
    fn a_schedule_reads_back_as_it_is_shown() {
        for text in ["1m,5m,30m", "1s,1s,1s", "250ms", "90s"] {
            assert_eq!(text.parse::<RetrySchedule>().unwrap().to_string(), text);
        }
        assert_eq!("1m,5m,30m".parse(), Ok(RetrySchedule::default()));
    }

    #[test]
    fn a_broken_schedule_is_refused() {
        let too_many = ["1s"; MAX_RETRIES + 1].join(",");
        for text in ["", "1", "m", "1w", "2d", "-1m", "1m,,5m", "25h", "1.5m", "99999999999999999999h", &too_many] {
            assert!(text.parse::<RetrySchedule>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_retry_is_never_early_and_at_most_a_tenth_late(failures in 0_u32..3, chance in 0.0..1.0_f64) {
            let minutes = [1, 5, 30][failures as usize];
            let NextStep::RetryAt(at) = RetrySchedule::default().decide(&answered(502), failures, now(), chance) else {
                return Err(TestCaseError::fail("no retry"));
            };
            let wait = SignedDuration::from_mins(minutes);
            prop_assert!(at >= now() + wait);
            prop_assert!(at <= now() + wait + wait / 10);
        }

        #[test]
        fn any_text_is_parsed_or_refused(text: String) {
            let _ = text.parse::<RetrySchedule>();
        }
    }
}
