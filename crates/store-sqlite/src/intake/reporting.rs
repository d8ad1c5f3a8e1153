//! Scenario results on their way into a run.

use jiff::Timestamp;
use preclinical_core::{
    port::{Fate, Finished, Report, ReportError, StoreError},
    run::{FinalStatus, Run, RunRef, RunStatus},
    scenario::{MAX_SCENARIOS, ScenarioResult, ScenarioStatus},
    vault::Vault,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::finishing;
use crate::{
    history::{self, Growing},
    row::{Id, Time, unavailable},
    work::Work,
};

/// Adds the results, and ends the run if they were the last ones planned.
pub(super) fn report(work: &Work<'_>, vault: &Vault, report: &Report) -> Result<Finished, ReportError> {
    let found = history::find_growing_run(work, report.organization_id, report.run).map_err(unavailable)?;
    let Growing { run, generation, planned, mut reported } = found.ok_or(ReportError::RunNotFound)?;
    let most = planned.unwrap_or(MAX_SCENARIOS);
    for (index, result) in report.results.iter().enumerate() {
        let content = serde_json::to_vec(result).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        match stored(work, &run, &result.scenario_id).map_err(unavailable)? {
            Some(known) if known == content || means(&known, result) => continue,
            Some(_) => return Err(ReportError::Conflicting { index }),
            None if run.status.is_final() => return Err(ReportError::AlreadyFinal(run.status)),
            None => {}
        }
        if reported >= most {
            return Err(ReportError::TooMany { most });
        }
        insert(work, &run, reported, result, &content).map_err(unavailable)?;
        reported += 1;
    }
    if run.status.is_final() {
        return Ok(Finished { run, fate: Fate::NotFinal });
    }
    note_progress(work, &run, report.at).map_err(unavailable)?;
    if run.status == RunStatus::Pending {
        work.count_run(run.organization_id, run.agent_id, (run.status, RunStatus::Running));
    }
    let found = history::find_run(work, report.organization_id, RunRef::Id(run.id)).map_err(unavailable)?;
    let run = found.ok_or(ReportError::RunNotFound)?;
    if planned != Some(reported) {
        return Ok(Finished { run, fate: Fate::NotFinal });
    }
    let (before, tally) = (run.status, run.tally);
    let run = finishing::ended(run, FinalStatus::Completed, tally, report.at);
    finishing::settle(work, vault, (before, run), generation + 1, &report.dispatch).map_err(ReportError::from)
}

/// Whether a stored result says the same, whatever the order in which its JSON names things.
fn means(stored: &[u8], result: &ScenarioResult) -> bool {
    serde_json::from_slice::<ScenarioResult>(stored).is_ok_and(|stored| stored == *result)
}

fn stored(connection: &Connection, run: &Run, scenario_id: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT content FROM scenario_results WHERE run_id = ?1 AND scenario_id = ?2")?
        .query_row(params![Id(run.id), scenario_id], |row| row.get(0))
        .optional()
}

fn insert(
    connection: &Connection,
    run: &Run,
    position: u32,
    result: &ScenarioResult,
    content: &[u8],
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "INSERT INTO scenario_results (run_id, scenario_id, position, status, content) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![Id(run.id), result.scenario_id, position, result.status.as_str(), content])?;
    let (passed, failed, error) = match result.status {
        ScenarioStatus::Passed => (1, 0, 0),
        ScenarioStatus::Failed => (0, 1, 0),
        ScenarioStatus::Error => (0, 0, 1),
        ScenarioStatus::Canceled => (0, 0, 0),
    };
    connection
        .prepare_cached(
            "UPDATE runs SET reported = reported + 1, passed = passed + ?2, failed = failed + ?3, error = error + ?4, \
             total = coalesce(planned, reported + 1) WHERE id = ?1",
        )?
        .execute(params![Id(run.id), passed, failed, error])
}

fn note_progress(connection: &Connection, run: &Run, at: Timestamp) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE runs SET status = CASE status WHEN 'pending' THEN 'running' ELSE status END, \
             started_at = coalesce(started_at, ?2) WHERE id = ?1",
        )?
        .execute(params![Id(run.id), Time(at)])
}
