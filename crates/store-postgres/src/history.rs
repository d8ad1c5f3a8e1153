//! [`History`] on PostgreSQL.

mod attempts;
mod conditions;
mod decisions;
mod deliveries;
#[cfg(test)]
pub(crate) mod plans;
mod results;
mod runs;
mod search;

use async_trait::async_trait;
use preclinical_core::{
    attempt::Attempt,
    decision::Decision,
    delivery::Delivery,
    id::{DeliveryId, OrganizationId},
    port::{DeliveryFilter, DeliveryPage, History, Page, ResultsPage, RunFilter, StoreError},
    run::{Run, RunRef},
    scenario::{ScenarioResult, ScenarioStatus},
};

pub(crate) use self::{
    conditions::Conditions,
    deliveries::{find as find_delivery, lock as lock_delivery, read as read_delivery},
};
use crate::{
    PostgresStore,
    failure::Failure,
    row::{self, Id, RUN_COLUMNS},
    transaction::Transaction,
};

/// The run of that id or number in the organization.
pub(crate) async fn find_run(
    transaction: &Transaction,
    organization: OrganizationId,
    run: RunRef,
) -> Result<Option<Run>, Failure> {
    select_run(transaction, organization, run, "").await
}

/// The same, and nobody else changes it before this transaction ends.
pub(crate) async fn lock_run(
    transaction: &Transaction,
    organization: OrganizationId,
    run: RunRef,
) -> Result<Option<Run>, Failure> {
    select_run(transaction, organization, run, " FOR NO KEY UPDATE OF run").await
}

async fn select_run(
    transaction: &Transaction,
    organization: OrganizationId,
    run: RunRef,
    locking: &str,
) -> Result<Option<Run>, Failure> {
    let condition = match run {
        RunRef::Id(_) => "run.id = $1",
        RunRef::Number(_) => "run.number = $1",
    };
    let sql = format!(
        "SELECT {RUN_COLUMNS} FROM runs run JOIN agents agent ON agent.id = run.agent_id \
         WHERE {condition} AND run.organization_id = $2{locking}"
    );
    let row = match run {
        RunRef::Id(id) => transaction.row(&sql, &[&Id(id), &Id(organization)]).await?,
        RunRef::Number(number) => transaction.row(&sql, &[&i64::from(number.0), &Id(organization)]).await?,
    };
    row.as_ref().map(row::run).transpose()
}

#[async_trait]
impl History for PostgresStore {
    async fn run(&self, organization: OrganizationId, run: RunRef) -> Result<Option<Run>, StoreError> {
        self.read(|transaction| Box::pin(async move { find_run(&transaction, organization, run).await })).await
    }

    async fn runs(
        &self,
        organization: OrganizationId,
        filter: RunFilter,
        page: Page,
    ) -> Result<(Vec<Run>, u64), StoreError> {
        self.read(|transaction| Box::pin(async move { runs::page(&transaction, organization, filter, page).await })).await
    }

    async fn results(
        &self,
        organization: OrganizationId,
        run: RunRef,
    ) -> Result<Option<(Run, Vec<ScenarioResult>)>, StoreError> {
        self.read(|transaction| {
            Box::pin(async move {
                let Some(run) = find_run(&transaction, organization, run).await? else { return Ok(None) };
                let results = results::all(&transaction, &run).await?;
                Ok(Some((run, results)))
            })
        })
        .await
    }

    async fn results_page(
        &self,
        organization: OrganizationId,
        run: RunRef,
        status: Option<ScenarioStatus>,
        page: Page,
    ) -> Result<Option<ResultsPage>, StoreError> {
        self.read(|transaction| {
            Box::pin(async move {
                let Some(run) = find_run(&transaction, organization, run).await? else { return Ok(None) };
                results::page(&transaction, run, status, page).await.map(Some)
            })
        })
        .await
    }

    async fn decisions(
        &self,
        organization: OrganizationId,
        run: RunRef,
        page: Page,
    ) -> Result<Option<(Vec<Decision>, u64)>, StoreError> {
        self.read(|transaction| {
            Box::pin(async move {
                let Some(run) = find_run(&transaction, organization, run).await? else { return Ok(None) };
                decisions::page(&transaction, organization, run.id, page).await.map(Some)
            })
        })
        .await
    }

    async fn deliveries(&self, organization: OrganizationId, filter: DeliveryFilter) -> Result<DeliveryPage, StoreError> {
        let filter = &filter;
        self.read(|transaction| Box::pin(async move { deliveries::page(&transaction, organization, filter).await })).await
    }

    async fn delivery(
        &self,
        organization: OrganizationId,
        id: DeliveryId,
    ) -> Result<Option<(Delivery, Vec<Attempt>)>, StoreError> {
        self.read(|transaction| {
            Box::pin(async move {
                let Some(delivery) = find_delivery(&transaction, organization, id).await? else { return Ok(None) };
                Ok(Some((delivery, attempts::of(&transaction, id).await?)))
            })
        })
        .await
    }
}
