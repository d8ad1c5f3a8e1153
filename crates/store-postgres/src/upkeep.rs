//! [`Upkeep`] on PostgreSQL.

mod forgetting;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::port::{StoreError, Upkeep};

use uuid::Uuid;

use crate::{
    PostgresStore, Shared,
    failure::unavailable,
    node, partitions,
    row::{Id, get},
    transaction::Turn,
    writing::Writers,
};

#[async_trait]
impl Upkeep for PostgresStore {
    async fn void_dead_leases(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.beat(now).await
    }

    async fn beat(&self, now: Timestamp) -> Result<u64, StoreError> {
        let Shared { node, beats, queue, weeks, writers, .. } = &*self.0;
        let beaten: Result<_, StoreError> = beats
            .run(Turn::Free, |transaction| {
                Box::pin(async move { node::beat(&transaction, node, now).await.map_err(unavailable) })
            })
            .await;
        let (me, dead) = beaten?;
        node.is_named(me);
        let (mut due, doubts) = (0, node.take_doubts());
        if !doubts.is_empty() {
            let tokens: &Vec<_> = &doubts.iter().copied().map(Id).collect();
            let voided: Result<u64, StoreError> = queue
                .run(Turn::Free, |transaction| {
                    Box::pin(async move { node::void(&transaction, me, tokens, now).await.map_err(unavailable) })
                })
                .await;
            due += voided.inspect_err(|_| node.doubt(doubts))?;
        }
        if !dead.is_empty() {
            due += bury(queue, &dead, now).await?;
        }
        weeks.make_ready(&writers.connections, now).await.map_err(unavailable)?;
        Ok(due)
    }

    async fn leave(&self, now: Timestamp) -> Result<u64, StoreError> {
        match self.0.node.name() {
            Some(me) => bury(&self.0.queue, &[me], now).await,
            None => Ok(0),
        }
    }

    async fn forget_deliveries(&self, before: Timestamp, most: u32) -> Result<u64, StoreError> {
        let weeks = partitions::forget_weeks(&self.0.writers.connections, before).await.map_err(unavailable)?;
        let rows = self.write(Turn::Free, |transaction| {
            Box::pin(async move { forgetting::forget(&transaction, before, most).await.map_err(unavailable) })
        });
        let rows: Result<u64, StoreError> = rows.await;
        rows.map(|rows| weeks + rows)
    }

    async fn ping(&self, now: Timestamp) -> Result<(), StoreError> {
        let is_standby = self.glance(|transaction| {
            Box::pin(async move {
                let row = transaction.row("SELECT pg_is_in_recovery() AS is_standby", &[]).await?;
                row.map_or(Ok(false), |row| get(&row, "is_standby"))
            })
        });
        if is_standby.await? {
            return Err(StoreError::Unavailable("PostgreSQL is a standby and takes no writes".to_owned()));
        }
        if !self.0.condition.is_to_be_tried(now)? {
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

async fn bury(queue: &Writers, nodes: &[Uuid], now: Timestamp) -> Result<u64, StoreError> {
    queue
        .run(Turn::Free, |transaction| {
            Box::pin(async move { node::bury(&transaction, nodes, now).await.map_err(unavailable) })
        })
        .await
}
