//! The store looks after itself.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;

/// Starting up and being asked how it is.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Voids the leases of processes that are known to be dead, so that their work is due at `now`, and calls that they
    /// carried out can be begun again. Answers how many deliveries there were. What was canceled while they had it under way has
    /// ended already; its attempt stays in the history as interrupted.
    ///
    /// On the embedded store this is every lease, because only one process serves a database at a time.
    async fn void_dead_leases(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Succeeds if the store can read, and the latest of its writes was kept. Of a store that is well it asks no write.
    ///
    /// After a write that failed it tries one of its own, at most once a second, so that an idle store becomes well again.
    async fn ping(&self, now: Timestamp) -> Result<(), StoreError>;
}
