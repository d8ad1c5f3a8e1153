//! [`Upkeep`] on SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::port::{StoreError, Upkeep};
use rusqlite::params;

use crate::{
    SqliteStore,
    row::{Time, unavailable},
};

#[async_trait]
impl Upkeep for SqliteStore {
    async fn void_dead_leases(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(move |connection| {
            connection
                .execute("UPDATE calls SET held_until = ?1 WHERE held_until > ?1", [Time(now)])
                .map_err(unavailable)?;
            // The token stays: whoever claims next sees by it that an attempt was cut off.
            connection
                .execute(
                    "UPDATE deliveries SET due_at = ?1 WHERE status = 'pending' AND lease_token IS NOT NULL AND due_at > ?1",
                    params![Time(now)],
                )
                .map(|rows| rows as u64)
                .map_err(unavailable)
        })
        .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.read(|connection| connection.query_row("SELECT 1", [], |_| Ok(())).map_err(unavailable)).await
    }
}
