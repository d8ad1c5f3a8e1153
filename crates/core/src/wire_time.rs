//! Times as the wire shows them: ISO 8601, UTC with `Z`, whole seconds.

use jiff::Timestamp;

/// `2026-01-30T10:32:45Z`: the fraction of a second is cut off, never rounded up into the future.
pub fn format(time: Timestamp) -> String {
    let second = Timestamp::from_second(whole_seconds(time)).unwrap_or(Timestamp::UNIX_EPOCH);
    second.to_string()
}

/// Seconds since 1970, rounded towards the past.
pub fn whole_seconds(time: Timestamp) -> i64 {
    time.as_millisecond().div_euclid(1000)
}

/// Whole seconds from `start` to `end` as both are shown on the wire; 0 if the clock went backwards in between.
pub fn seconds_between(start: Timestamp, end: Timestamp) -> u64 {
    u64::try_from(whole_seconds(end) - whole_seconds(start)).unwrap_or(0)
}

/// Serializes a time for the wire; for `#[serde(serialize_with)]`.
pub fn serialize<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*time))
}

/// Serializes a time that may be missing as a string or `null`; for `#[serde(serialize_with)]`.
pub fn serialize_option<S: serde::Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serialize(time, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_of_a_second_is_cut_off() {
        let time: Timestamp = "2026-01-30T10:32:45.999999Z".parse().unwrap();
        assert_eq!(format(time), "2026-01-30T10:32:45Z");
    }

    #[test]
    fn a_duration_is_the_difference_of_the_times_shown_and_never_negative() {
        let start: Timestamp = "2026-01-30T10:30:00.900Z".parse().unwrap();
        let end: Timestamp = "2026-01-30T10:32:45.100Z".parse().unwrap();
        assert_eq!(seconds_between(start, end), 165);
        assert_eq!(seconds_between(end, start), 0);
    }
}
