//! Where "now" comes from.

use jiff::Timestamp;

/// A source of the current time. The binary reads the system's clock; tests turn one by hand.
pub trait Clock: Send + Sync + 'static {
    /// The current time in UTC. Callers must bear that it can jump in both directions.
    fn now(&self) -> Timestamp;
}
