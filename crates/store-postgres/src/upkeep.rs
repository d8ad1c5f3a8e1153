//! [`Upkeep`] on PostgreSQL.

mod forgetting;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::port::{StoreError, Upkeep};

use crate::{PostgresStore, failure::unavailable, node, partitions, row::get, transaction::Turn};

#[async_trait]
impl Upkeep for PostgresStore {
    async fn void_dead_leases(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.beat(now).await
    }

    async fn beat(&self, now: Timestamp) -> Result<u64, StoreError> {
        let ours = &self.0.node;
        let beaten = self.write(Turn::Free, |transaction| {
            Box::pin(async move { node::beat(&transaction, ours, now).await.map_err(unavailable) })
        });
        let beaten: Result<_, StoreError> = beaten.await;
        let (me, due) = beaten?;
        ours.is_named(me);
        self.0.weeks.make_ready(&self.0.writers.connections, now).await.map_err(unavailable)?;
        Ok(due)
    }

    async fn leave(&self, now: Timestamp) -> Result<u64, StoreError> {
        let ours = &self.0.node;
        self.write(Turn::Free, |transaction| {
            Box::pin(async move { node::leave(&transaction, ours, now).await.map_err(unavailable) })
        })
        .await
    }

    async fn forget_deliveries(&self, before: Timestamp, most: u32) -> Result<u64, StoreError> {
        let weeks = partitions::forget_weeks(&self.0.writers.connections, before).await.map_err(unavailable)?;
        let rows = self.write(Turn::Free, |transaction| {
            Box::pin(async move { forgetting::forget(&transaction, before, most).await.map_err(unavailable) })
        });
        let rows: Result<u64, StoreError> = rows.await;
        rows.map(|rows| weeks + rows)
    }

    async fn ping(&self, _: Timestamp) -> Result<(), StoreError> {
        let is_standby = self.read(|transaction| {
            Box::pin(async move {
                let row = transaction.row("SELECT pg_is_in_recovery() AS is_standby", &[]).await?;
                row.map_or(Ok(false), |row| get(&row, "is_standby"))
            })
        });
        if is_standby.await? {
            return Err(StoreError::Unavailable("PostgreSQL is a standby and takes no writes".to_owned()));
        }
        if !self.0.writers.condition.is_unwell() {
            return Ok(());
        }
        self.write(Turn::Free, |transaction| {
            Box::pin(async move {
                let sql = "UPDATE facts SET value = value WHERE name = 'sealed_check'";
                transaction.run(sql, &[]).await.map(drop).map_err(unavailable)
            })
        })
        .await
    }
}
