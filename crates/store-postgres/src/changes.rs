//! [`Changes`] on PostgreSQL: numbers come from a trigger of the schema, rings after the commit from who made it.
//!
//! A number is made of the transaction that made the change, so nobody has to wait for anybody to get one. Transactions end in another
//! order than they began: a reader stops before the earliest that has not ended, and a bell rings once that is behind the change.

use async_trait::async_trait;
use preclinical_core::{
    delivery::Delivery,
    id::OrganizationId,
    port::{ChangeNumber, Changes, Progress, StoreError, Watch},
    run::{Run, RunRef},
    scenario::Verdict,
};

use crate::{
    PostgresStore,
    failure::Failure,
    history,
    pool::Connections,
    row::{Id, get, maybe_number, number},
    transaction::{Transaction, Turn},
};

/// Raises the base of the numbers above all that were given before, in case this server counts its transactions from a lower place
/// than the one on which they were.
pub(crate) async fn keep_numbers_rising(connections: &Connections) -> Result<(), Failure> {
    let transaction = Transaction::begin(connections.get().await?, Turn::Free);
    // Nodes that open it at once raise it one after the other.
    transaction.batch("LOCK TABLE change_base IN EXCLUSIVE MODE").await?;
    let sql = "UPDATE change_base SET base = base + latest.given + 1 - latest.next \
         FROM (SELECT max(newest.change) >> 24 AS given, pg_current_xact_id()::text::bigint + min(change_base.base) AS next \
               FROM change_base, organizations organization, LATERAL (SELECT change FROM deliveries WHERE organization_id = organization.id \
               ORDER BY change DESC LIMIT 1) newest) latest \
         WHERE latest.given >= latest.next";
    transaction.run(sql, &[]).await?;
    transaction.commit().await
}

/// The lowest number that may still appear. What is read after this holds all changes with lower ones.
async fn horizon(transaction: &Transaction) -> Result<i64, Failure> {
    let row = transaction.row("SELECT change_horizon() AS horizon", &[]).await?;
    get(&row.ok_or_else(|| Failure::unreadable("horizon"))?, "horizon")
}

async fn latest(transaction: &Transaction, organization: OrganizationId) -> Result<ChangeNumber, Failure> {
    let horizon = horizon(transaction).await?;
    let sql = "SELECT max(change) AS latest FROM deliveries WHERE organization_id = $1 AND change < $2";
    let row = transaction.row(sql, &[&Id(organization), &horizon]).await?;
    let latest = row.as_ref().map(|row| maybe_number(row, "latest")).transpose()?;
    Ok(ChangeNumber(latest.flatten().unwrap_or(0)))
}

async fn changed(
    transaction: &Transaction,
    organization: OrganizationId,
    after: ChangeNumber,
    limit: u32,
) -> Result<Vec<(ChangeNumber, Delivery)>, Failure> {
    let horizon = horizon(transaction).await?;
    let sql = "SELECT * FROM deliveries WHERE organization_id = $1 AND change > $2 AND change < $3 ORDER BY change LIMIT $4";
    let after = i64::try_from(after.0).unwrap_or(i64::MAX);
    let rows = transaction.rows(sql, &[&Id(organization), &after, &horizon, &i64::from(limit)]).await?;
    rows.iter().map(|row| Ok((ChangeNumber(number(row, "change")?), history::read_delivery(row)?))).collect()
}

async fn verdicts(transaction: &Transaction, run: &Run, after: u32, limit: u32) -> Result<Vec<Verdict>, Failure> {
    let sql = "SELECT content FROM scenario_results WHERE run_id = $1 AND position >= $2 ORDER BY position LIMIT $3";
    let rows = transaction.rows(sql, &[&Id(run.id), &i64::from(after), &i64::from(limit)]).await?;
    let verdict = |content: Vec<u8>| serde_json::from_slice(&content).map_err(|_| Failure::unreadable("content"));
    rows.iter().map(|row| get(row, "content").and_then(verdict)).collect()
}

#[async_trait]
impl Changes for PostgresStore {
    async fn watch(&self, organization: OrganizationId) -> Result<Box<dyn Watch>, StoreError> {
        Ok(self.0.bells.watch(organization))
    }

    async fn latest_change(&self, organization: OrganizationId) -> Result<ChangeNumber, StoreError> {
        self.read_as_it_goes(|transaction| Box::pin(async move { latest(&transaction, organization).await })).await
    }

    async fn changed_deliveries(
        &self,
        organization: OrganizationId,
        after: ChangeNumber,
        limit: u32,
    ) -> Result<Vec<(ChangeNumber, Delivery)>, StoreError> {
        self.read_as_it_goes(|transaction| Box::pin(async move { changed(&transaction, organization, after, limit).await }))
            .await
    }

    async fn progress(
        &self,
        organization: OrganizationId,
        run: RunRef,
        after: u32,
        limit: u32,
    ) -> Result<Option<Progress>, StoreError> {
        self.read(|transaction| {
            Box::pin(async move {
                let Some(run) = history::find_run(&transaction, organization, run).await? else { return Ok(None) };
                let verdicts = verdicts(&transaction, &run, after, limit).await?;
                Ok(Some(Progress { run, verdicts }))
            })
        })
        .await
    }
}
