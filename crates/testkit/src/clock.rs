//! Time turned by hand.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use preclinical_core::clock::Clock;

/// A clock that stands still until it is turned.
pub struct ManualClock(Mutex<Timestamp>);

impl Default for ManualClock {
    /// Begins in the documented example's minute.
    fn default() -> Self {
        Self(Mutex::new("2026-01-30T10:30:00Z".parse().unwrap()))
    }
}

impl ManualClock {
    /// Turns the clock, also backwards.
    pub fn turn(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(by).unwrap();
    }

    /// Sets the clock.
    pub fn set(&self, to: Timestamp) {
        *self.0.lock().unwrap() = to;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}
