//! Scenario results on their way into a run.

use std::collections::HashMap;

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
    // A report that is refused has written nothing: to undo it would undo what others of its group have written, too.
    for (result, content) in new_ones(work, &run, report, (reported, planned.unwrap_or(MAX_SCENARIOS)))? {
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

/// The results that are not stored yet, as they will be. So many are, and at most so many may be.
fn new_ones<'r>(
    connection: &Connection,
    run: &Run,
    report: &'r Report,
    (reported, most): (u32, u32),
) -> Result<Vec<(&'r ScenarioResult, Vec<u8>)>, ReportError> {
    let mut new: Vec<(&ScenarioResult, Vec<u8>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (index, result) in report.results.iter().enumerate() {
        let content = serde_json::to_vec(result).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let known = match places.get(result.scenario_id.as_str()) {
            Some(place) => Some(new[*place].1.clone()),
            None => stored(connection, run, &result.scenario_id).map_err(unavailable)?,
        };
        match known {
            Some(known) if known == content || means(&known, result) => continue,
            Some(_) => return Err(ReportError::Conflicting { index }),
            None if run.status.is_final() => return Err(ReportError::AlreadyFinal(run.status)),
            None if reported as usize + new.len() >= most as usize => return Err(ReportError::TooMany { most }),
            None => {}
        }
        places.insert(result.scenario_id.as_str(), new.len());
        new.push((result, content));
    }
    Ok(new)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use preclinical_core::{
        id::{DeliveryId, EventId, OrganizationId, RunId},
        port::{Dispatch, NoPlaces},
    };
    use preclinical_testkit::world::{result, vault};
    use uuid::Uuid;

    use super::*;
    use crate::history::plans::database;

    #[test]
    fn a_report_that_is_refused_has_written_nothing() {
        let database = database();
        database
            .execute_batch(
                "PRAGMA foreign_keys = OFF; \
                 INSERT INTO agents (id, organization_id, provider, name, config, is_active, version, created_at, updated_at) \
                   VALUES (zeroblob(16), zeroblob(16), '', '', x'', 1, 1, 0, 0); \
                 INSERT INTO runs (id, organization_id, number, agent_id, name, status, planned, created_at) \
                   VALUES (zeroblob(16), zeroblob(16), 1, zeroblob(16), '', 'running', 2, 0)",
            )
            .unwrap();
        let work = Work::on(&database);
        let reported = |results: &[(&str, ScenarioStatus)]| {
            let before = work.written();
            let asked = Report {
                organization_id: OrganizationId::from_uuid(Uuid::nil()),
                run: RunRef::Id(RunId::from_uuid(Uuid::nil())),
                results: results.iter().map(|(id, status)| result(id, *status)).collect(),
                at: Timestamp::UNIX_EPOCH,
                dispatch: Dispatch {
                    event_id: EventId::from_uuid(Uuid::nil()),
                    delivery_id: DeliveryId::from_uuid(Uuid::nil()),
                    places: Arc::new(NoPlaces),
                    public_url: String::new(),
                },
            };
            let outcome = report(&work, &vault(), &asked);
            (outcome.map(|finished| finished.run.tally.total), work.written() == before)
        };
        let (passed, failed) = (ScenarioStatus::Passed, ScenarioStatus::Failed);
        let twice = [("a", passed), ("a", failed)];
        assert!(matches!(reported(&twice), (Err(ReportError::Conflicting { index: 1 }), true)));
        let too_many = [("a", passed), ("b", passed), ("c", passed)];
        assert!(matches!(reported(&too_many), (Err(ReportError::TooMany { most: 2 }), true)));
        assert!(matches!(reported(&[("a", passed), ("a", passed)]), (Ok(2), false)));
        let another = [("b", passed), ("a", failed)];
        assert!(matches!(reported(&another), (Err(ReportError::Conflicting { index: 1 }), true)));
    }
}
