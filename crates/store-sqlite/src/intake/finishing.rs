//! The end of a run: final state, event and delivery as one fact.

use jiff::Timestamp;
use preclinical_core::{
    choice::Ruling,
    event::{EventContent, EventKind},
    id::{EventId, RunId},
    port::{Dispatch, Fate, Finish, FinishError, Finished, ReportedCounts, StoreError},
    run::{FinalStatus, Run, RunStatus},
    tally::Tally,
    vault::Vault,
};
use rusqlite::{Connection, params};

use super::deciding;
use crate::{
    history::{self, Growing},
    queue,
    row::{Id, Time, unavailable},
    work::Work,
};

/// Ends the run that a caller names.
pub(super) fn finish(work: &Work<'_>, vault: &Vault, finish: &Finish) -> Result<Finished, FinishError> {
    let found = history::find_growing_run(work, finish.organization_id, finish.run).map_err(unavailable)?;
    let Growing { run, generation, reported, .. } = found.ok_or(FinishError::RunNotFound)?;
    if run.status.is_final() {
        let repeated = was_ended_by(work, run.id, finish.dispatch.event_id).map_err(unavailable)?;
        return if repeated {
            Ok(Finished { run, fate: Fate::NotFinal })
        } else {
            Err(FinishError::AlreadyFinal(run.status))
        };
    }
    let tally = match finish.counts {
        Some(_) if reported > 0 => return Err(FinishError::CountsNotWanted),
        Some(counts) => counted(&run, counts)?,
        None => run.tally,
    };
    let before = run.status;
    let run = ended(run, finish.to, tally, finish.at);
    settle(work, vault, (before, run), generation + 1, &finish.dispatch).map_err(FinishError::from)
}

fn was_ended_by(connection: &Connection, run: RunId, event: EventId) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM events WHERE id = ?1 AND run_id = ?2")?.exists(params![Id(event), Id(run)])
}

/// Writes the final state of `run`, which had another status before, its event, and the delivery that follows from it. It is the
/// `generation`th time that it became final.
pub(super) fn settle(
    work: &Work<'_>,
    vault: &Vault,
    (before, run): (RunStatus, Run),
    generation: i64,
    dispatch: &Dispatch,
) -> Result<Finished, StoreError> {
    let write = || {
        let changed = work
            .statement(
                "UPDATE OR FAIL runs SET status = ?2, passed = ?3, failed = ?4, error = ?5, total = ?6, started_at = ?7, \
                 completed_at = ?8, generation = ?9 \
                 WHERE id = ?1 AND status <> 'completed' AND status <> 'failed' AND status <> 'canceled'",
            )?
            .execute(params![
                Id(run.id),
                run.status.as_str(),
                run.tally.passed,
                run.tally.failed,
                run.tally.error,
                run.tally.total,
                run.started_at.map(Time),
                run.completed_at.map(Time),
                generation,
            ])?;
        if changed == 0 {
            return Ok(None);
        }
        work.count_run(run.organization_id, run.agent_id, (before, run.status));
        announce(work, vault, &run, generation, dispatch).map(Some)
    };
    let fate = write().map_err(unavailable)?;
    // The caller saw the run unfinished in this very transaction.
    let fate = fate.ok_or_else(|| StoreError::Corrupt("a run changed inside a transaction".into()))?;
    Ok(Finished { run, fate })
}

/// The run as it is once it ended at `at`. A run that nobody saw begin began when it ended, unless it was canceled.
pub(super) fn ended(run: Run, to: FinalStatus, tally: Tally, at: Timestamp) -> Run {
    let started_at = match to {
        FinalStatus::Canceled => run.started_at,
        FinalStatus::Completed | FinalStatus::Failed => run.started_at.or(Some(at)),
    };
    Run { status: RunStatus::from(to), tally, started_at, completed_at: Some(at), ..run }
}

fn counted(run: &Run, counts: ReportedCounts) -> Result<Tally, FinishError> {
    let mut tally = Tally { passed: counts.passed, failed: counts.failed, error: counts.error, total: 0 };
    let judged = tally.judged();
    let sum = u32::try_from(judged).unwrap_or(u32::MAX);
    tally.total = counts.total.unwrap_or(run.tally.total.max(sum));
    if judged > u64::from(tally.total) {
        return Err(FinishError::CountsExceedTotal { judged, total: tally.total });
    }
    Ok(tally)
}

fn announce(work: &Work<'_>, vault: &Vault, run: &Run, generation: i64, dispatch: &Dispatch) -> rusqlite::Result<Fate> {
    let at = run.completed_at.unwrap_or(run.created_at);
    let (kind, organization_id) = (EventKind::TestRunCompleted, run.organization_id);
    let content = EventContent::of_run(run, &dispatch.public_url);
    let candidates = work.candidates(organization_id, run.agent_id)?;
    let decisions = deciding::about(&candidates).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let event = queue::NewEvent {
        id: dispatch.event_id,
        organization_id,
        kind,
        run: Some((run.id, generation)),
        content: &content,
        decisions: Some(decisions),
        at,
    };
    queue::insert_event(work, &event)?;
    let chosen = candidates.judged().find(|(_, _, ruling)| ruling.has_delivery());
    let mut fate = Fate::NoWebhook;
    if let Some((_, known, ruling)) = chosen {
        let delivery = queue::NewDelivery {
            id: dispatch.delivery_id,
            organization_id,
            event_id: dispatch.event_id,
            kind,
            webhook_id: known.candidate.id,
            url: &known.receiver.url,
            agent_id: Some(run.agent_id),
            run: Some((run.id, run.number)),
            redelivery_of: None,
            job: None,
            at,
        };
        if ruling == Ruling::Sent {
            let claimed = queue::write(work, vault, &delivery, &content, &known.receiver, &*dispatch.places)?;
            fate = claimed.map_or(Fate::Due, Fate::Claimed);
        } else {
            queue::insert_delivery(work, &delivery, None)?;
            queue::hold_back(work, dispatch.delivery_id, at)?;
        }
    }
    Ok(fate)
}
