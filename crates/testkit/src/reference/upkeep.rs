//! What dies, and what has had its time.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    id::{DeliveryId, EventId},
    port::{StoreError, Upkeep},
};

use super::{Ledger, ReferenceStore};

impl Ledger {
    fn forget_deliveries(&mut self, before: Timestamp, most: u32) -> u64 {
        let is_old = |id: &DeliveryId| {
            let row = &self.deliveries[id];
            !row.is_pending() && row.delivery.completed_at.is_some_and(|at| at < before)
        };
        let old: Vec<_> = self.deliveries.keys().copied().filter(is_old).take(most as usize).collect();
        for id in &old {
            self.deliveries.remove(id);
        }
        let needed: BTreeSet<EventId> = self.deliveries.values().map(|row| row.event).collect();
        self.events.retain(|id, event| event.run.is_some() || needed.contains(id));
        old.len() as u64
    }
}

#[async_trait]
impl Upkeep for ReferenceStore {
    async fn void_dead_leases(&self, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.write(|ledger| ledger.void_leases(now)))
    }

    async fn beat(&self, _now: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn leave(&self, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.write(|ledger| ledger.void_leases(now)))
    }

    async fn forget_deliveries(&self, before: Timestamp, most: u32) -> Result<u64, StoreError> {
        Ok(self.write(|ledger| ledger.forget_deliveries(before, most)))
    }

    async fn ping(&self, _now: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
}
