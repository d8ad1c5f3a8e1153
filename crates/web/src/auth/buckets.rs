//! How much each key may still call: a bucket in memory for every key that called lately.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use preclinical_core::id::ApiKeyId;

use crate::limits::RateLimit;

/// Buckets that are remembered. Beyond it full ones are forgotten; if none is full, a key without one is not limited.
const REMEMBERED: usize = 10_000;

const SECOND: i64 = 1_000_000;

/// The buckets of all keys. A bucket is the time at which it will be full again, in microseconds.
pub(super) struct Buckets {
    limit: Option<RateLimit>,
    full_at: Mutex<HashMap<ApiKeyId, i64>>,
}

/// What a key has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whether this call was one too many; it costs nothing.
    pub(super) exceeded: bool,
    limit: u32,
    remaining: u32,
    /// Seconds until nothing counts any more, rounded up.
    reset: u64,
}

impl Buckets {
    pub(super) fn of(limit: Option<RateLimit>) -> Self {
        Self { limit, full_at: Mutex::default() }
    }

    /// Takes one call out of the key's bucket; `None` if calls are not counted.
    pub(super) fn take(&self, key: ApiKeyId, now: Timestamp) -> Option<Standing> {
        let limit = self.limit?;
        let (interval, now) = (SECOND / i64::from(limit.per_second), now.as_microsecond());
        let whole = interval * i64::from(limit.burst);
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= REMEMBERED && !buckets.contains_key(&key) {
            buckets.retain(|_, full_at| *full_at > now);
            if buckets.len() >= REMEMBERED {
                return None;
            }
        }
        let bucket = buckets.entry(key).or_insert(now);
        // A clock that was set back must not lock a key out.
        let taken = (*bucket - now).clamp(0, whole);
        let exceeded = taken + interval > whole;
        let taken = if exceeded { taken } else { taken + interval };
        *bucket = now + taken;
        let remaining = u32::try_from((whole - taken) / interval).unwrap_or(0);
        let reset = (taken + SECOND - 1) / SECOND;
        Some(Standing { exceeded, limit: limit.burst, remaining, reset: reset.unsigned_abs() })
    }
}

impl Standing {
    /// Writes the fields of the IETF's draft as they are widely deployed.
    pub(super) fn write(self, headers: &mut HeaderMap) {
        let fields = [
            ("ratelimit-limit", u64::from(self.limit)),
            ("ratelimit-remaining", u64::from(self.remaining)),
            ("ratelimit-reset", self.reset),
        ];
        for (name, value) in fields {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use uuid::Uuid;

    use super::*;

    const LIMIT: RateLimit = RateLimit { per_second: 2, burst: 4 };

    fn key(number: u128) -> ApiKeyId {
        ApiKeyId::from_uuid(Uuid::from_u128(number))
    }

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(milliseconds)
    }

    fn standing(exceeded: bool, remaining: u32, reset: u64) -> Standing {
        Standing { exceeded, limit: 4, remaining, reset }
    }

    #[test]
    fn a_burst_passes_and_then_as_many_as_the_rate_allows() {
        let buckets = Buckets::of(Some(LIMIT));
        for (remaining, reset) in [(3, 1), (2, 1), (1, 2), (0, 2)] {
            assert_eq!(buckets.take(key(1), at(0)).unwrap(), standing(false, remaining, reset));
        }
        assert_eq!(buckets.take(key(1), at(0)).unwrap(), standing(true, 0, 2));
        assert_eq!(buckets.take(key(2), at(0)).unwrap(), standing(false, 3, 1), "each key has its own");
        assert_eq!(buckets.take(key(1), at(499)).unwrap(), standing(true, 0, 2));
        assert_eq!(buckets.take(key(1), at(500)).unwrap(), standing(false, 0, 2));
        assert_eq!(buckets.take(key(1), at(60_000)).unwrap(), standing(false, 3, 1));
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out_for_longer_than_a_burst() {
        let buckets = Buckets::of(Some(LIMIT));
        buckets.take(key(1), at(3_600_000));
        assert_eq!(buckets.take(key(1), at(0)).unwrap(), standing(true, 0, 2));
        assert_eq!(buckets.take(key(1), at(2_000)).unwrap(), standing(false, 3, 1));
    }

    #[test]
    fn the_number_of_buckets_is_bounded_and_full_ones_are_forgotten() {
        let buckets = Buckets::of(Some(LIMIT));
        for number in 0..2 * REMEMBERED as u128 {
            buckets.take(key(number), at(0));
        }
        assert_eq!(buckets.full_at.lock().unwrap().len(), REMEMBERED);
        buckets.take(key(u128::MAX), at(10_000));
        assert_eq!(buckets.full_at.lock().unwrap().len(), 1);
        assert_eq!(Buckets::of(None).take(key(1), at(0)), None);
    }
}
