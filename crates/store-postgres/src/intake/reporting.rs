//! Scenario results on their way into a run.

use std::{collections::HashMap, slice};

use preclinical_core::{
    port::{Fate, Finished, Report, ReportError, StoreError},
    run::{FinalStatus, Run, RunRef},
    scenario::{MAX_SCENARIOS, ScenarioResult, ScenarioStatus},
};

use super::{
    finishing,
    settling::{self, Settled},
};
use crate::{
    failure::{Failure, unavailable},
    history,
    queue::Holder,
    row::{Id, Time, get, maybe_number, number},
    transaction::Transaction,
};

/// Results that a report adds, in the order of their positions.
#[derive(Default)]
struct Added<'a> {
    ids: Vec<&'a str>,
    statuses: Vec<&'a str>,
    contents: Vec<Vec<u8>>,
}

/// Adds the results, and ends the run if they were the last ones planned. The run stays locked until then.
pub(super) async fn report(transaction: &Transaction, holder: Holder<'_>, report: &Report) -> Result<Finished, ReportError> {
    let found = history::lock_run(transaction, report.organization_id, report.run).await.map_err(unavailable)?;
    let run = found.ok_or(ReportError::RunNotFound)?;
    let Progress { planned, reported, generation } = progress(transaction, &run).await.map_err(unavailable)?;
    let most = planned.unwrap_or(MAX_SCENARIOS);
    let added = new_ones(transaction, report, &run, reported, most).await?;
    if run.status.is_final() {
        return Ok(Finished { run, fate: Fate::NotFinal });
    }
    let count = u32::try_from(added.ids.len()).unwrap_or(u32::MAX);
    insert(transaction, &run, reported, added).await.map_err(unavailable)?;
    note_progress(transaction, report, &run).await.map_err(unavailable)?;
    transaction.concerns(run.organization_id);
    let found = history::find_run(transaction, report.organization_id, RunRef::Id(run.id)).await.map_err(unavailable)?;
    let run = found.ok_or(ReportError::RunNotFound)?;
    if planned != Some(reported + count) {
        return Ok(Finished { run, fate: Fate::NotFinal });
    }
    let tally = run.tally;
    let run = finishing::ended(run, FinalStatus::Completed, tally, report.at);
    let ending = Settled { run, generation: generation + 1, dispatch: &report.dispatch };
    let settle = async {
        let (organization, run) = (report.organization_id, vec![Id(ending.run.id)]);
        let (_, webhooks) = finishing::lock_with_webhooks(transaction, organization, &run).await?;
        settling::settle(transaction, holder, organization, &webhooks, slice::from_ref(&ending)).await
    };
    let fate =
        settle.await.map_err(unavailable)?.pop().ok_or_else(|| StoreError::Corrupt("a run without an end".to_owned()))?;
    Ok(Finished { run: ending.run, fate })
}

/// How far a run is.
struct Progress {
    planned: Option<u32>,
    reported: u32,
    generation: i64,
}

/// Those that are not stored yet; an error for the first that cannot be taken.
async fn new_ones<'a>(
    transaction: &Transaction,
    report: &'a Report,
    run: &Run,
    reported: u32,
    most: u32,
) -> Result<Added<'a>, ReportError> {
    let mut known = stored(transaction, run, &report.results).await.map_err(unavailable)?;
    let mut added = Added::default();
    for (index, result) in report.results.iter().enumerate() {
        let content = serde_json::to_vec(result).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        match known.get(&result.scenario_id) {
            Some(stored) if *stored == content || means(stored, result) => continue,
            Some(_) => return Err(ReportError::Conflicting { index }),
            None if run.status.is_final() => return Err(ReportError::AlreadyFinal(run.status)),
            None => {}
        }
        if added.ids.len() >= most.saturating_sub(reported) as usize {
            return Err(ReportError::TooMany { most });
        }
        known.insert(result.scenario_id.clone(), content.clone());
        added.ids.push(&result.scenario_id);
        added.statuses.push(result.status.as_str());
        added.contents.push(content);
    }
    Ok(added)
}

/// Whether a stored result says the same, whatever the order in which its JSON names things.
fn means(stored: &[u8], result: &ScenarioResult) -> bool {
    serde_json::from_slice::<ScenarioResult>(stored).is_ok_and(|stored| stored == *result)
}

async fn progress(transaction: &Transaction, run: &Run) -> Result<Progress, Failure> {
    let row = transaction.row("SELECT planned, reported, generation FROM runs WHERE id = $1", &[&Id(run.id)]).await?;
    let row = row.ok_or_else(|| Failure::unreadable("reported"))?;
    let (planned, reported) = (maybe_number(&row, "planned")?, number(&row, "reported")?);
    Ok(Progress { planned, reported, generation: number(&row, "generation")? })
}

async fn stored(
    transaction: &Transaction,
    run: &Run,
    results: &[ScenarioResult],
) -> Result<HashMap<String, Vec<u8>>, Failure> {
    let ids: Vec<&str> = results.iter().map(|result| result.scenario_id.as_str()).collect();
    let sql = "SELECT scenario_id, content FROM scenario_results WHERE run_id = $1 AND scenario_id = ANY($2)";
    let rows = transaction.rows(sql, &[&Id(run.id), &ids]).await?;
    rows.iter().map(|row| Ok((get(row, "scenario_id")?, get(row, "content")?))).collect()
}

async fn insert(transaction: &Transaction, run: &Run, reported: u32, added: Added<'_>) -> Result<(), Failure> {
    if added.ids.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO scenario_results (run_id, scenario_id, position, status, content) \
         SELECT $1, added.id, $2 + added.place - 1, added.status, added.content \
         FROM unnest($3, $4, $5) WITH ORDINALITY AS added (id, status, content, place)";
    let run_id = Id(run.id);
    transaction.run(sql, &[&run_id, &i64::from(reported), &added.ids, &added.statuses, &added.contents]).await?;
    let count = |status: ScenarioStatus| {
        let of_status = added.statuses.iter().filter(|name| **name == status.as_str()).count();
        i64::try_from(of_status).unwrap_or(i64::MAX)
    };
    let all = i64::try_from(added.ids.len()).unwrap_or(i64::MAX);
    let sql = "UPDATE runs SET reported = reported + $2, passed = passed + $3, failed = failed + $4, error = error + $5, \
         total = coalesce(planned, reported + $2) WHERE id = $1";
    let (passed, failed) = (count(ScenarioStatus::Passed), count(ScenarioStatus::Failed));
    transaction.run(sql, &[&run_id, &all, &passed, &failed, &count(ScenarioStatus::Error)]).await?;
    Ok(())
}

async fn note_progress(transaction: &Transaction, report: &Report, run: &Run) -> Result<(), Failure> {
    let sql = "UPDATE runs SET status = CASE status WHEN 'pending' THEN 'running' ELSE status END, \
         started_at = coalesce(started_at, $2) WHERE id = $1";
    transaction.run(sql, &[&Id(run.id), &Time(report.at)]).await?;
    Ok(())
}
