//! [`History`] on SQLite.

mod attempts;
mod decisions;
mod deliveries;
#[cfg(test)]
pub(crate) mod plans;
mod ranges;
mod results;
mod runs;
mod search;

use std::sync::LazyLock;

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
use rusqlite::{Connection, OptionalExtension, Row, params};

pub(crate) use self::{
    deliveries::{Conditions, find as find_delivery, position, read as read_delivery},
    ranges::{Range, Scope, ranges},
};
use crate::{
    SqliteStore,
    row::{self, Columns, Id, RUN_COLUMNS, unavailable},
    work::Work,
};

/// The run of that id or number in the organization.
pub(crate) fn find_run(connection: &Connection, organization: OrganizationId, run: RunRef) -> rusqlite::Result<Option<Run>> {
    let organization = Id(organization);
    match run {
        RunRef::Id(id) => connection.prepare_cached(&RUN_OF_ID)?.query_row(params![Id(id), organization], row::run),
        RunRef::Number(number) => {
            connection.prepare_cached(&RUN_OF_NUMBER)?.query_row(params![number.0, organization], row::run)
        }
    }
    .optional()
}

/// A run, and how far it has come.
pub(crate) struct Growing {
    pub(crate) run: Run,
    /// How often it became final.
    pub(crate) generation: i64,
    /// How many results were planned for it, and how many are there.
    pub(crate) planned: Option<u32>,
    pub(crate) reported: u32,
}

/// The same with what whoever changes it needs to know.
pub(crate) fn find_growing_run(
    work: &Work<'_>,
    organization: OrganizationId,
    run: RunRef,
) -> rusqlite::Result<Option<Growing>> {
    let organization = Id(organization);
    match run {
        RunRef::Id(id) => work.statement(&RUN_OF_ID)?.query_row(params![Id(id), organization], read_growing_run),
        RunRef::Number(number) => {
            work.statement(&RUN_OF_NUMBER)?.query_row(params![number.0, organization], read_growing_run)
        }
    }
    .optional()
}

static RUN_OF_ID: LazyLock<String> = LazyLock::new(|| run_where("run.id = ?1"));
static RUN_OF_NUMBER: LazyLock<String> = LazyLock::new(|| run_where("run.number = ?1"));

fn run_where(condition: &str) -> String {
    format!(
        "SELECT {RUN_COLUMNS}, run.generation, run.planned, run.reported FROM runs run JOIN agents agent ON agent.id = run.agent_id \
         WHERE {condition} AND run.organization_id = ?2"
    )
}

fn read_growing_run(row: &Row<'_>) -> rusqlite::Result<Growing> {
    let mut columns = Columns::of(row);
    Ok(Growing {
        run: row::next_run(&mut columns)?,
        generation: columns.value()?,
        planned: columns.value()?,
        reported: columns.value()?,
    })
}

#[async_trait]
impl History for SqliteStore {
    async fn run(&self, organization: OrganizationId, run: RunRef) -> Result<Option<Run>, StoreError> {
        self.read(move |connection| find_run(connection, organization, run).map_err(unavailable)).await
    }

    async fn runs(
        &self,
        organization: OrganizationId,
        filter: RunFilter,
        page: Page,
    ) -> Result<(Vec<Run>, u64), StoreError> {
        self.read(move |connection| runs::page(connection, organization, filter, page).map_err(unavailable)).await
    }

    async fn results(
        &self,
        organization: OrganizationId,
        run: RunRef,
    ) -> Result<Option<(Run, Vec<ScenarioResult>)>, StoreError> {
        self.read(move |connection| {
            let Some(run) = find_run(connection, organization, run).map_err(unavailable)? else { return Ok(None) };
            let results = results::all(connection, &run)?;
            Ok(Some((run, results)))
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
        self.read(move |connection| {
            let Some(run) = find_run(connection, organization, run).map_err(unavailable)? else { return Ok(None) };
            results::page(connection, run, status, page).map(Some)
        })
        .await
    }

    async fn decisions(
        &self,
        organization: OrganizationId,
        run: RunRef,
        page: Page,
    ) -> Result<Option<(Vec<Decision>, u64)>, StoreError> {
        self.read(move |connection| {
            let Some(run) = find_run(connection, organization, run).map_err(unavailable)? else { return Ok(None) };
            decisions::page(connection, organization, run.id, page).map(Some).map_err(unavailable)
        })
        .await
    }

    async fn deliveries(&self, organization: OrganizationId, filter: DeliveryFilter) -> Result<DeliveryPage, StoreError> {
        self.read(move |connection| deliveries::page(connection, organization, &filter).map_err(unavailable)).await
    }

    async fn delivery(
        &self,
        organization: OrganizationId,
        id: DeliveryId,
    ) -> Result<Option<(Delivery, Vec<Attempt>)>, StoreError> {
        self.read(move |connection| {
            let Some(delivery) = deliveries::find(connection, organization, id).map_err(unavailable)? else {
                return Ok(None);
            };
            Ok(Some((delivery, attempts::of(connection, id)?)))
        })
        .await
    }
}
