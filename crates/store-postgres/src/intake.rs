//! [`Intake`] on PostgreSQL.

pub(crate) mod deciding;
mod endings;
mod finishing;
#[cfg(test)]
mod plans;
mod reporting;
mod settling;

use async_trait::async_trait;
use preclinical_core::{
    port::{CreateRunError, Finish, FinishError, Finished, Intake, NewRun, Report, ReportError, StoreError},
    run::{Run, RunRef, RunStatus},
};

pub(crate) use self::endings::{Endings, endings};
use crate::{
    PostgresStore, administration,
    failure::{Failure, unavailable},
    history,
    row::{Id, Time},
    transaction::{Transaction, Turn},
};

async fn create(transaction: &Transaction, new: &NewRun) -> Result<Run, CreateRunError> {
    let known = history::find_run(transaction, new.organization_id, RunRef::Id(new.id)).await.map_err(unavailable)?;
    if let Some(repeated) = known {
        return Ok(repeated);
    }
    if !administration::agent_exists(transaction, new.organization_id, new.agent_id).await.map_err(unavailable)? {
        return Err(CreateRunError::AgentNotFound);
    }
    if let Some(suite) = new.test_suite_id
        && !administration::test_suite_exists(transaction, new.organization_id, suite).await.map_err(unavailable)?
    {
        return Err(CreateRunError::TestSuiteNotFound);
    }
    insert(transaction, new).await.map_err(unavailable)?;
    let run = history::find_run(transaction, new.organization_id, RunRef::Id(new.id)).await.map_err(unavailable)?;
    run.ok_or_else(|| StoreError::Corrupt("a run vanished".into()).into())
}

/// Takes the next number with the row that bears it. The organization's row is locked from here to the commit, so that numbers have
/// no gaps.
async fn insert(transaction: &Transaction, new: &NewRun) -> Result<(), Failure> {
    let status = if new.started_at.is_some() { RunStatus::Running } else { RunStatus::Pending };
    let sql = "WITH next AS (UPDATE organizations SET last_run_number = last_run_number + 1 WHERE id = $2 RETURNING last_run_number) \
         INSERT INTO runs (id, organization_id, number, agent_id, name, status, planned, total, started_at, created_at, test_suite_id) \
         SELECT $1, $2, next.last_run_number, $3, coalesce($4, agent.name || ' test run'), $5, $6, coalesce($6, 0), $7, $8, $9 \
         FROM next, agents agent WHERE agent.id = $3";
    transaction
        .run(
            sql,
            &[
                &Id(new.id),
                &Id(new.organization_id),
                &Id(new.agent_id),
                &new.name,
                &status.as_str(),
                &new.planned.map(i64::from),
                &new.started_at.map(Time),
                &Time(new.created_at),
                &new.test_suite_id.map(Id),
            ],
        )
        .await
        .inspect_err(|failure| {
            if failure.is_taken() {
                transaction.lose();
            }
        })?;
    Ok(())
}

#[async_trait]
impl Intake for PostgresStore {
    async fn create_run(&self, run: NewRun) -> Result<Run, CreateRunError> {
        let new = &run;
        self.write(Turn::Beside(new.organization_id), |transaction| Box::pin(async move { create(&transaction, new).await }))
            .await
    }

    async fn report_results(&self, report: Report) -> Result<Finished, ReportError> {
        let (holder, report) = (self.holder(), &report);
        let finished = self.write(Turn::Beside(report.organization_id), |transaction| {
            Box::pin(async move { reporting::report(&transaction, holder, report).await })
        });
        finished.await.inspect_err(|error| {
            if let ReportError::Store(_) = error {
                self.0.node.doubt(report.dispatch.places.granted());
            }
        })
    }

    async fn finish_run(&self, finish: Finish) -> Result<Finished, FinishError> {
        endings::finish(self, finish).await
    }
}
