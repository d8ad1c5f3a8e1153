//! How webhooks are doing: what their attempts leave on them, when that is a reason to worry, and when to give up.

use jiff::{SignedDuration, Timestamp};

use crate::{
    retry::{MAX_RETRIES, NextStep},
    webhook::{DisabledReason, Webhook},
};

/// After how many failed attempts in a row a webhook is failing. One or two are what a restart of its receiver costs.
pub const FAILING_AFTER: u32 = 3;

/// How long a webhook may fail before it is disabled, unless somebody says otherwise.
pub const DEFAULT_PATIENCE: Patience = Patience { time: SignedDuration::from_hours(5 * 24), exhausted: 10 };

/// What attempts leave on a webhook. Tests leave nothing. A streak is what came after the last success, or after the webhook was
/// enabled again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// When the last attempt ended.
    pub last_triggered_at: Option<Timestamp>,
    /// When the last attempt ended that a receiver took.
    pub last_success_at: Option<Timestamp>,
    /// Failed attempts of the streak.
    pub consecutive_failures: u32,
    /// When the first of them ended.
    pub failing_since: Option<Timestamp>,
    /// Deliveries that ran out of attempts in the streak.
    pub exhausted_deliveries: u32,
    /// From when on deliveries were missed that nobody has ordered to be replayed: no delivery that was missed before it ended later.
    pub missed_since: Option<Timestamp>,
}

/// The end of an attempt, as far as it concerns the webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// When it was.
    pub at: Timestamp,
    /// Whether the receiver took it.
    pub is_success: bool,
    /// Whether the delivery has failed by it.
    pub is_exhausted: bool,
}

/// How long a webhook may do nothing but fail: both must be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// From the first failure of the streak on.
    pub time: SignedDuration,
    /// Deliveries that ran out of attempts in the streak. A webhook that seldom sends may be down for longer and never noticed.
    pub exhausted: u32,
}

impl Health {
    /// What it is after one more attempt.
    #[must_use]
    pub fn after(self, ending: Ending) -> Self {
        let Ending { at, is_success, is_exhausted } = ending;
        let before = Self { last_triggered_at: Some(at), ..self };
        if is_success {
            return Self { last_success_at: Some(at), ..before.anew() };
        }
        let failed = Self {
            consecutive_failures: self.consecutive_failures.saturating_add(1),
            failing_since: self.failing_since.or(Some(at)),
            exhausted_deliveries: self.exhausted_deliveries.saturating_add(u32::from(is_exhausted)),
            ..before
        };
        if is_exhausted { failed.missing() } else { failed }
    }

    /// Without the streak: what follows begins anew.
    #[must_use]
    pub fn anew(self) -> Self {
        Self { consecutive_failures: 0, failing_since: None, exhausted_deliveries: 0, ..self }
    }

    /// The same with deliveries that are missed from the beginning of the streak on.
    #[must_use]
    pub fn missing(self) -> Self {
        Self { missed_since: self.missed_since.or(self.failing_since), ..self }
    }
}

/// As many as a delivery can have.
#[expect(clippy::cast_possible_truncation, reason = "a schedule has a few retries")]
const MAX_ATTEMPTS: u32 = MAX_RETRIES as u32 + 1;

impl Patience {
    /// Why an attempt that ended so disables its webhook, whose health is the one after it. `None` if it does not.
    ///
    /// A receiver that is gone is believed at once. Without patience nothing else disables a webhook.
    pub fn verdict(patience: Option<Self>, next: NextStep, health: &Health, at: Timestamp) -> Option<DisabledReason> {
        match next {
            NextStep::Gone => Some(DisabledReason::Gone),
            NextStep::Delivered => None,
            NextStep::RetryAt(_) | NextStep::Exhausted => {
                patience.filter(|patience| patience.is_over(health, at)).map(|_| DisabledReason::Failing)
            }
        }
    }

    fn is_over(self, health: &Health, at: Timestamp) -> bool {
        let is_long = health.failing_since.is_some_and(|since| at.duration_since(since) >= self.time);
        // One that hangs is asked so rarely that what waits for it may never run out of attempts: then attempts are counted.
        let attempts = self.exhausted.saturating_mul(MAX_ATTEMPTS);
        is_long && (health.exhausted_deliveries >= self.exhausted || health.consecutive_failures >= attempts)
    }
}

/// How a webhook is doing, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HealthStatus {
    /// It takes what is sent, as far as is known.
    Healthy,
    /// It only fails, and somebody should look.
    Failing,
    /// Nothing is sent to it.
    Disabled,
}

impl HealthStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Healthy, Self::Failing, Self::Disabled];

    /// The status on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Failing => "failing",
            Self::Disabled => "disabled",
        }
    }

    /// That of a webhook: failing after [`FAILING_AFTER`] failed attempts in a row, or once a delivery ran out of attempts.
    pub const fn of(webhook: &Webhook) -> Self {
        let health = &webhook.health;
        if !webhook.is_enabled {
            Self::Disabled
        } else if health.consecutive_failures >= FAILING_AFTER || health.exhausted_deliveries > 0 {
            Self::Failing
        } else {
            Self::Healthy
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_769_769_000 + seconds).unwrap()
    }

    fn ending(seconds: i64, is_success: bool, is_exhausted: bool) -> Ending {
        Ending { at: at(seconds), is_success, is_exhausted }
    }

    #[test]
    fn a_streak_begins_with_its_first_failure_and_ends_with_a_success() {
        let failing = [(1, false), (2, false), (3, true)];
        let failing =
            failing.iter().fold(Health::default(), |health, (time, last)| health.after(ending(*time, false, *last)));
        assert_eq!((failing.consecutive_failures, failing.exhausted_deliveries), (3, 1));
        assert_eq!((failing.failing_since, failing.missed_since), (Some(at(1)), Some(at(1))));
        assert_eq!((failing.last_triggered_at, failing.last_success_at), (Some(at(3)), None));
        let recovered = failing.after(ending(4, true, false));
        assert_eq!((recovered.consecutive_failures, recovered.exhausted_deliveries, recovered.failing_since), (0, 0, None));
        assert_eq!((recovered.last_triggered_at, recovered.last_success_at), (Some(at(4)), Some(at(4))));
        assert_eq!(recovered.missed_since, Some(at(1)), "what was missed is still missed");
        let again = recovered.after(ending(9, false, true));
        assert_eq!((again.failing_since, again.missed_since), (Some(at(9)), Some(at(1))));
    }

    #[test]
    fn patience_ends_when_both_its_time_and_its_deliveries_are_over() {
        let day = SignedDuration::from_hours(24);
        let health = |exhausted_deliveries| Health { failing_since: Some(at(0)), exhausted_deliveries, ..Health::default() };
        let verdict = |exhausted, later: SignedDuration| {
            Patience::verdict(Some(DEFAULT_PATIENCE), NextStep::Exhausted, &health(exhausted), at(0) + later)
        };
        assert_eq!(verdict(10, day * 5), Some(DisabledReason::Failing));
        assert_eq!(verdict(9, day * 5), None);
        assert_eq!(verdict(10, day * 5 - SignedDuration::from_micros(1)), None);
        assert_eq!(verdict(9, day * 500), None, "a webhook that seldom sends is not given up by time alone");
        let long = (&health(10), at(0) + day * 5);
        assert_eq!(Patience::verdict(None, NextStep::Exhausted, long.0, long.1), None, "it is switched off");
        assert_eq!(Patience::verdict(None, NextStep::Gone, long.0, long.1), Some(DisabledReason::Gone));
        assert_eq!(Patience::verdict(Some(DEFAULT_PATIENCE), NextStep::Delivered, long.0, long.1), None);
        let fresh = Health::default();
        assert_eq!(Patience::verdict(Some(DEFAULT_PATIENCE), NextStep::Exhausted, &fresh, long.1), None);
    }

    #[test]
    fn what_hangs_is_given_up_by_its_attempts_although_nothing_runs_out_of_them() {
        let verdict = |consecutive_failures, later: SignedDuration| {
            let health = Health { failing_since: Some(at(0)), consecutive_failures, ..Health::default() };
            Patience::verdict(Some(DEFAULT_PATIENCE), NextStep::RetryAt(at(0)), &health, at(0) + later)
        };
        let days = SignedDuration::from_hours(24) * 5;
        assert_eq!(verdict(10 * 21, days), Some(DisabledReason::Failing));
        assert_eq!(verdict(10 * 21 - 1, days), None);
        assert_eq!(verdict(10 * 21, days - SignedDuration::from_micros(1)), None);
    }

    proptest! {
        #[test]
        fn nothing_before_a_success_counts(times in proptest::collection::vec((0_i64..1000, any::<bool>(), any::<bool>()), 0..40)) {
            let all = times.iter().map(|(time, is_success, last)| ending(*time, *is_success, *last && !is_success));
            let all: Vec<_> = all.collect();
            let since = all.iter().rposition(|ending| ending.is_success).map_or(0, |last| last + 1);
            let fold = |endings: &[Ending]| endings.iter().fold(Health::default(), |health, ending| health.after(*ending));
            let (whole, streak) = (fold(&all), fold(&all[since..]));
            prop_assert_eq!(whole.consecutive_failures, streak.consecutive_failures);
            prop_assert_eq!(whole.failing_since, streak.failing_since);
            prop_assert_eq!(whole.exhausted_deliveries, streak.exhausted_deliveries);
            prop_assert_eq!(whole.missed_since.is_some(), all.iter().any(|ending| ending.is_exhausted));
        }
    }
}
