//! The store looks after itself.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;

/// How often a process says that it lives. A dead one is known after about five of them.
pub const BEAT: Duration = Duration::from_millis(1500);

/// Starting up, ending, and being asked how it is.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Voids the leases of processes that are known to be dead, so that their work is due at `now`, and calls that they
    /// carried out can be begun again. Answers how many deliveries there were. What was canceled while they had it under way has
    /// ended already; its attempt stays in the history as interrupted.
    ///
    /// On the embedded store this is every lease, because only one process serves a database at a time. Call it at the start.
    async fn void_dead_leases(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Says that this process lives, and voids the leases of those that have not said so for a while, as
    /// [`Self::void_dead_leases`] does. To be called every [`BEAT`]. On the embedded store there is nobody to say it to.
    async fn beat(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Voids the leases that this process holds, so that nobody waits for their end, and forgets the process. Answers how many
    /// deliveries there were. What is recorded late is taken as long as nobody else has claimed it.
    async fn leave(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Forgets deliveries that ended before that time, `most` of them at a time, with their attempts and what was sent and answered.
    /// Answers how many they were; more than `most` where a store forgets many at once. What is pending stays, and so do runs, their
    /// results, and what was decided. A store may keep some for a week longer.
    async fn forget_deliveries(&self, before: Timestamp, most: u32) -> Result<u64, StoreError>;

    /// Succeeds if the store can read, and the latest of its writes was kept. Of a store that is well it asks no write.
    ///
    /// After a write that failed it tries one of its own, at most once a second, so that an idle store becomes well again.
    async fn ping(&self, now: Timestamp) -> Result<(), StoreError>;
}
