//! [`Upkeep`] on SQLite.

mod forgetting;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::port::{StoreError, Upkeep};

use crate::{
    SqliteStore,
    condition::Known,
    queue,
    row::{Time, unavailable},
    work::Work,
};

fn void_leases(work: &Work<'_>, now: Timestamp) -> rusqlite::Result<u64> {
    work.execute("UPDATE calls SET held_until = ?1 WHERE held_until > ?1", [Time(now)])?;
    queue::interrupt_canceled(work)?;
    queue::end_leases(work, queue::RUNNING, now)
}

#[async_trait]
impl Upkeep for SqliteStore {
    async fn void_dead_leases(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(move |work| void_leases(work, now).map_err(unavailable)).await
    }

    async fn beat(&self, _: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn leave(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(move |work| void_leases(work, now).map_err(unavailable)).await
    }

    async fn forget_deliveries(&self, before: Timestamp, most: u32) -> Result<u64, StoreError> {
        self.write(move |connection| forgetting::forget(connection, before, most).map_err(unavailable)).await
    }

    async fn ping(&self, now: Timestamp) -> Result<(), StoreError> {
        self.read(|connection| connection.query_row("SELECT 1", [], |_| Ok(())).map_err(unavailable)).await?;
        match self.writer.condition.at(now) {
            Known::Well => Ok(()),
            Known::ToTry => self.write(|_| Ok(())).await,
            Known::Unwell(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use jiff::ToSpan;
    use preclinical_testkit::world::vault;
    use rusqlite::Connection;

    use super::*;

    fn noon() -> Timestamp {
        "2026-01-30T12:00:00Z".parse().unwrap()
    }

    /// A store that is refused at once while another process writes.
    async fn impatient(path: &Path) -> SqliteStore {
        let store = SqliteStore::open(path, vault()).unwrap();
        let set = |work: &Work<'_>| work.busy_timeout(Duration::ZERO).map_err(unavailable);
        store.write(set).await.unwrap();
        store
    }

    #[tokio::test]
    async fn a_store_whose_latest_write_was_not_kept_is_unwell_until_one_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let store = impatient(&path).await;
        store.ping(noon()).await.unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        store.ping(noon()).await.unwrap();
        store.void_dead_leases(noon()).await.unwrap_err();
        for _ in 0..3 {
            store.ping(noon()).await.unwrap_err();
        }
        other.execute_batch("ROLLBACK").unwrap();
        store.void_dead_leases(noon()).await.unwrap();
        store.ping(noon()).await.unwrap();
    }

    #[tokio::test]
    async fn an_idle_store_becomes_well_by_being_asked_a_second_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let store = impatient(&path).await;
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        store.void_dead_leases(noon()).await.unwrap_err();
        store.ping(noon()).await.unwrap_err();
        other.execute_batch("ROLLBACK").unwrap();
        // It was tried in this second.
        store.ping(noon() + 999.milliseconds()).await.unwrap_err();
        store.ping(noon() + 1.second()).await.unwrap();
        store.ping(noon() + 1.second()).await.unwrap();
    }
}
