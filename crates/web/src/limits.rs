//! How long a call may take and how often a key may call.

use std::{str::FromStr, time::Duration};

/// The limits of the API.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For how long a request's body may arrive.
    pub body: Duration,
    /// How long a call may take as a whole. Work that was accepted goes on beyond it.
    pub call: Duration,
    /// How many bytes of large bodies may be read and worked on at once.
    pub large_bodies: usize,
    /// For how long a large body may wait for room among them.
    pub wait_for_room: Duration,
    /// How often one key may call; any number of times if missing.
    pub rate: Option<RateLimit>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: Duration::from_secs(30),
            call: Duration::from_mins(1),
            large_bodies: 64 * 1024 * 1024,
            wait_for_room: Duration::from_secs(25),
            rate: Some(RateLimit::default()),
        }
    }
}

/// A bucket of calls that fills up again at a steady rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many calls a second in the long run, at least 1.
    pub per_second: u32,
    /// How many at once, at least as many.
    pub burst: u32,
}

impl Default for RateLimit {
    /// More than a test suite of many thousand scenarios needs, and less than a server does without noticing.
    fn default() -> Self {
        Self { per_second: 1000, burst: 5 * 1000 }
    }
}

/// A text that is no rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be calls a second, such as 1000, or with the size of a burst, such as 1000,5000; at most 1000000")]
pub struct NotARateLimit;

impl FromStr for RateLimit {
    type Err = NotARateLimit;

    /// Reads `1000`, whose burst is five times as much, or `1000,2000`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rate, burst) = text.split_once(',').map_or((text, None), |(rate, burst)| (rate, Some(burst)));
        let number = |text: &str| text.trim().parse::<u32>().ok().filter(|number| (1..=1_000_000).contains(number));
        let per_second = number(rate).ok_or(NotARateLimit)?;
        let burst = burst.map_or(Some(per_second.saturating_mul(5)), number).ok_or(NotARateLimit)?;
        if burst < per_second { Err(NotARateLimit) } else { Ok(Self { per_second, burst }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_limit_is_a_rate_and_perhaps_a_burst() {
        assert_eq!("1000".parse(), Ok(RateLimit::default()));
        assert_eq!("10, 10".parse(), Ok(RateLimit { per_second: 10, burst: 10 }));
        for wrong in ["", "0", "-1", "ten", "10,9", "10,", "1000001", "1,2,3"] {
            assert_eq!(wrong.parse::<RateLimit>(), Err(NotARateLimit), "{wrong}");
        }
    }
}
