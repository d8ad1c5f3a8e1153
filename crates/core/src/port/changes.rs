//! What changes is told to those who follow it, without anybody asking again and again.

use async_trait::async_trait;

use super::StoreError;
use crate::{
    delivery::Delivery,
    id::OrganizationId,
    run::{Run, RunRef},
    scenario::Verdict,
};

/// Following runs and deliveries. Whoever follows watches first, and then reads after every ring what is new since the place
/// that it knows; nothing is handed over in memory, so nothing is lost by whoever comes back later.
#[async_trait]
pub trait Changes: Send + Sync {
    /// Rings for every commit from now on that changes a run or a delivery of the organization, and for no other organization's.
    /// A ring is not missed by whoever is not waiting for it; several are one.
    async fn watch(&self, organization: OrganizationId) -> Result<Box<dyn Watch>, StoreError>;

    /// The number of the organization's latest change; the first one's is 1.
    async fn latest_change(&self, organization: OrganizationId) -> Result<ChangeNumber, StoreError>;

    /// The deliveries that changed after `after`, as they are now, each once and at its latest change, in the order of these; at
    /// most `limit`, and if there are fewer, these are all.
    ///
    /// A commit's changes have higher numbers than all that anybody could read before it. (Where transactions overlap, the
    /// organization's counter must stay locked from the numbering to the commit, so that numbers become visible in their order.)
    async fn changed_deliveries(
        &self,
        organization: OrganizationId,
        after: ChangeNumber,
        limit: u32,
    ) -> Result<Vec<(ChangeNumber, Delivery)>, StoreError>;

    /// The run, and what its scenarios behind the first `after` came to, in the order of their first report; at most `limit`, and
    /// if there are fewer, these are all. It is one state: the run's counts cover all its results, and no others.
    async fn progress(
        &self,
        organization: OrganizationId,
        run: RunRef,
        after: u32,
        limit: u32,
    ) -> Result<Option<Progress>, StoreError>;
}

/// The ear of one who follows an organization.
#[async_trait]
pub trait Watch: Send {
    /// Returns once it rang since the watch began or since the last return. Dropping the future loses nothing.
    async fn rung(&mut self);
}

/// A place in the sequence of an organization's changes. 0 is before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeNumber(pub u64);

/// A run on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The run as it is now.
    pub run: Run,
    /// What its next scenarios came to.
    pub verdicts: Vec<Verdict>,
}
