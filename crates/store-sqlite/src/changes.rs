//! [`Changes`] on SQLite: deliveries are numbered as they are written, and the writer rings after its commits.
//!
//! Whatever writes a delivery gives the change its number ([`next_change`](crate::work::Work::next_change)). In tests a statement that
//! forgets it fails. The one writer's transactions do not overlap: numbers become visible in their order.

mod bells;

use async_trait::async_trait;
use preclinical_core::{
    delivery::Delivery,
    id::OrganizationId,
    port::{ChangeNumber, Changes, Progress, StoreError, Watch},
    run::{Run, RunRef},
    scenario::Verdict,
};
use rusqlite::{Connection, OptionalExtension, params};

pub(crate) use self::bells::Bells;
use crate::{
    SqliteStore, history,
    row::{Id, unavailable},
};

/// Has this connection refuse to write what is shown of a delivery without a number of its own.
pub(crate) fn refuse_unnumbered(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TEMP TRIGGER changes_are_numbered \
         AFTER UPDATE OF status, attempt_count, due_at, lease_token, url, http_status, duration_ms, completed_at ON main.deliveries \
         WHEN NEW.change <= OLD.change BEGIN SELECT RAISE(ABORT, 'a change of a delivery without a number'); END; \
         CREATE TEMP TRIGGER deliveries_are_numbered AFTER INSERT ON main.deliveries \
         WHEN NEW.change = 0 BEGIN SELECT RAISE(ABORT, 'a delivery without a number'); END",
    )
}

fn latest(connection: &Connection, organization: OrganizationId) -> rusqlite::Result<ChangeNumber> {
    let latest = connection
        .prepare_cached("SELECT last_change FROM organizations WHERE id = ?1")?
        .query_row([Id(organization)], |row| row.get(0))
        .optional()?;
    Ok(ChangeNumber(latest.unwrap_or(0)))
}

/// What is under way is found among all that is: its change has no entry of its own before it is over.
const CHANGED: &str = "SELECT * FROM ( \
     SELECT * FROM (SELECT * FROM deliveries INDEXED BY deliveries_changed \
       WHERE lease_until IS NULL AND organization_id = ?1 AND change > ?2 ORDER BY change LIMIT ?3) \
     UNION ALL SELECT * FROM (SELECT * FROM deliveries INDEXED BY deliveries_leased \
       WHERE lease_until IS NOT NULL AND organization_id = ?1 AND change > ?2 ORDER BY change LIMIT ?3)) \
     ORDER BY change LIMIT ?3";

fn changed(
    connection: &Connection,
    organization: OrganizationId,
    after: ChangeNumber,
    limit: u32,
) -> rusqlite::Result<Vec<(ChangeNumber, Delivery)>> {
    connection
        .prepare_cached(CHANGED)?
        .query_map(params![Id(organization), i64::try_from(after.0).unwrap_or(i64::MAX), limit], |row| {
            Ok((ChangeNumber(row.get("change")?), history::read_delivery(row)?))
        })?
        .collect()
}

fn verdicts(connection: &Connection, run: &Run, after: u32, limit: u32) -> Result<Vec<Verdict>, StoreError> {
    let contents = connection
        .prepare_cached(
            "SELECT content FROM scenario_results WHERE run_id = ?1 AND position >= ?2 ORDER BY position LIMIT ?3",
        )
        .and_then(|mut statement| {
            let rows = statement.query_map(params![Id(run.id), after, limit], |row| row.get::<_, Vec<u8>>(0))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })
        .map_err(unavailable)?;
    contents
        .iter()
        .map(|content| serde_json::from_slice(content).map_err(|error| StoreError::Corrupt(error.to_string())))
        .collect()
}

#[async_trait]
impl Changes for SqliteStore {
    async fn watch(&self, organization: OrganizationId) -> Result<Box<dyn Watch>, StoreError> {
        let latest = self.latest_change(organization).await?;
        Ok(self.bells.watch(organization, latest))
    }

    async fn latest_change(&self, organization: OrganizationId) -> Result<ChangeNumber, StoreError> {
        self.read(move |connection| latest(connection, organization).map_err(unavailable)).await
    }

    async fn changed_deliveries(
        &self,
        organization: OrganizationId,
        after: ChangeNumber,
        limit: u32,
    ) -> Result<Vec<(ChangeNumber, Delivery)>, StoreError> {
        self.read(move |connection| changed(connection, organization, after, limit).map_err(unavailable)).await
    }

    async fn progress(
        &self,
        organization: OrganizationId,
        run: RunRef,
        after: u32,
        limit: u32,
    ) -> Result<Option<Progress>, StoreError> {
        self.read(move |connection| {
            let Some(run) = history::find_run(connection, organization, run).map_err(unavailable)? else { return Ok(None) };
            let verdicts = verdicts(connection, &run, after, limit)?;
            Ok(Some(Progress { run, verdicts }))
        })
        .await
    }
}
