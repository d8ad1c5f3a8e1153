//! [`Intake`] on SQLite.

pub(crate) mod deciding;
mod finishing;
mod reporting;

use std::sync::Arc;

use async_trait::async_trait;
use preclinical_core::{
    port::{CreateRunError, Finish, FinishError, Finished, Intake, NewRun, Report, ReportError, StoreError},
    run::{Run, RunRef, RunStatus},
};
use rusqlite::{Connection, params};

use crate::{
    SqliteStore, administration, history,
    row::{Id, Time, unavailable},
};

fn create(connection: &Connection, new: &NewRun) -> Result<Run, CreateRunError> {
    if let Some(repeated) = history::find_run(connection, new.organization_id, RunRef::Id(new.id)).map_err(unavailable)? {
        return Ok(repeated);
    }
    if !administration::agent_exists(connection, new.organization_id, new.agent_id).map_err(unavailable)? {
        return Err(CreateRunError::AgentNotFound);
    }
    if let Some(suite) = new.test_suite_id
        && !administration::test_suite_exists(connection, new.organization_id, suite).map_err(unavailable)?
    {
        return Err(CreateRunError::TestSuiteNotFound);
    }
    let status = if new.started_at.is_some() { RunStatus::Running } else { RunStatus::Pending };
    let insert = || {
        connection
            .prepare_cached("UPDATE organizations SET last_run_number = last_run_number + 1 WHERE id = ?1")?
            .execute([Id(new.organization_id)])?;
        connection
            .prepare_cached(
                "INSERT INTO runs (id, organization_id, number, agent_id, name, status, planned, total, started_at, created_at, test_suite_id) \
                 VALUES (?1, ?2, (SELECT last_run_number FROM organizations WHERE id = ?2), ?3, \
                 coalesce(?4, (SELECT name || ' test run' FROM agents WHERE id = ?3)), ?5, ?6, coalesce(?6, 0), ?7, ?8, ?9)",
            )?
            .execute(params![
                Id(new.id),
                Id(new.organization_id),
                Id(new.agent_id),
                new.name,
                status.as_str(),
                new.planned,
                new.started_at.map(Time),
                Time(new.created_at),
                new.test_suite_id.map(Id),
            ])?;
        history::find_run(connection, new.organization_id, RunRef::Id(new.id))
    };
    let run = insert().map_err(unavailable)?;
    run.ok_or_else(|| StoreError::Corrupt("a run vanished".into()).into())
}

#[async_trait]
impl Intake for SqliteStore {
    async fn create_run(&self, run: NewRun) -> Result<Run, CreateRunError> {
        self.write(move |connection| create(connection, &run)).await
    }

    async fn report_results(&self, report: Report) -> Result<Finished, ReportError> {
        let (vault, bells) = (Arc::clone(&self.vault), Arc::clone(&self.bells));
        self.write_together(move |work| {
            bells.note(report.organization_id);
            reporting::report(work, &vault, &report)
        })
        .await
    }

    async fn finish_run(&self, finish: Finish) -> Result<Finished, FinishError> {
        let (vault, bells) = (Arc::clone(&self.vault), Arc::clone(&self.bells));
        self.write_together(move |work| {
            bells.note(finish.organization_id);
            finishing::finish(work, &vault, &finish)
        })
        .await
    }
}
