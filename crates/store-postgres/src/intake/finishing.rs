//! The end of a run: final state, event and delivery as one fact.

use jiff::Timestamp;
use preclinical_core::{
    choice::Ruling,
    event::{EventContent, EventKind},
    id::{EventId, RunId},
    port::{Applicant, Dispatch, Fate, Finish, FinishError, Finished, ReportedCounts, StoreError},
    run::{FinalStatus, Run, RunStatus},
    tally::Tally,
};

use super::deciding::{self, Ending};
use crate::{
    candidates::Candidates,
    failure::{Failure, unavailable},
    history,
    queue::{self, Holder},
    row::{Id, Time, get, number},
    transaction::Transaction,
};

/// Ends the run that a caller names.
pub(super) async fn finish(transaction: &Transaction, holder: Holder<'_>, finish: &Finish) -> Result<Finished, FinishError> {
    let found = history::lock_run(transaction, finish.organization_id, finish.run).await.map_err(unavailable)?;
    let run = found.ok_or(FinishError::RunNotFound)?;
    if run.status.is_final() {
        let repeated = was_ended_by(transaction, run.id, finish.dispatch.event_id).await.map_err(unavailable)?;
        return if repeated {
            Ok(Finished { run, fate: Fate::NotFinal })
        } else {
            Err(FinishError::AlreadyFinal(run.status))
        };
    }
    let tally = match finish.counts {
        Some(counts) => counted(transaction, &run, counts).await?,
        None => run.tally,
    };
    let run = ended(run, finish.to, tally, finish.at);
    settle(transaction, holder, run, &finish.dispatch).await.map_err(FinishError::from)
}

async fn was_ended_by(transaction: &Transaction, run: RunId, event: EventId) -> Result<bool, Failure> {
    let row = transaction.row("SELECT 1 FROM events WHERE id = $1 AND run_id = $2", &[&Id(event), &Id(run)]).await?;
    Ok(row.is_some())
}

/// Writes the final state of `run`, which is locked, its event, and the delivery that follows from it.
pub(super) async fn settle(
    transaction: &Transaction,
    holder: Holder<'_>,
    run: Run,
    dispatch: &Dispatch,
) -> Result<Finished, StoreError> {
    let fate = async {
        let sql = "UPDATE runs SET status = $2, passed = $3, failed = $4, error = $5, total = $6, started_at = $7, \
             completed_at = $8, generation = generation + 1 \
             WHERE id = $1 AND status IN ('pending', 'running', 'grading') RETURNING generation";
        let row = transaction
            .row(
                sql,
                &[
                    &Id(run.id),
                    &run.status.as_str(),
                    &i64::from(run.tally.passed),
                    &i64::from(run.tally.failed),
                    &i64::from(run.tally.error),
                    &i64::from(run.tally.total),
                    &run.started_at.map(Time),
                    &run.completed_at.map(Time),
                ],
            )
            .await?;
        transaction.concerns(run.organization_id);
        match row {
            Some(row) => announce(transaction, holder, &run, get(&row, "generation")?, dispatch).await.map(Some),
            None => Ok(None),
        }
    };
    let fate = fate.await.map_err(unavailable)?;
    // It was seen unfinished under this very lock.
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

async fn counted(transaction: &Transaction, run: &Run, counts: ReportedCounts) -> Result<Tally, FinishError> {
    let row = transaction.row("SELECT reported FROM runs WHERE id = $1", &[&Id(run.id)]).await.map_err(unavailable)?;
    let reported: i64 = row.map_or(Ok(0), |row| number(&row, "reported")).map_err(unavailable)?;
    if reported > 0 {
        return Err(FinishError::CountsNotWanted);
    }
    let mut tally = Tally { passed: counts.passed, failed: counts.failed, error: counts.error, total: 0 };
    let judged = tally.judged();
    let sum = u32::try_from(judged).unwrap_or(u32::MAX);
    tally.total = counts.total.unwrap_or(run.tally.total.max(sum));
    if judged > u64::from(tally.total) {
        return Err(FinishError::CountsExceedTotal { judged, total: tally.total });
    }
    Ok(tally)
}

async fn announce(
    transaction: &Transaction,
    holder: Holder<'_>,
    run: &Run,
    generation: i64,
    dispatch: &Dispatch,
) -> Result<Fate, Failure> {
    let at = run.completed_at.unwrap_or(run.created_at);
    let (kind, organization_id) = (EventKind::TestRunCompleted, run.organization_id);
    let content = EventContent::of_run(run, &dispatch.public_url);
    let event = queue::NewEvent {
        id: dispatch.event_id,
        organization_id,
        kind,
        run: Some((run.id, generation)),
        content: &content,
        at,
    };
    queue::insert_event(transaction, &event).await?;
    let candidates = Candidates::find(transaction, organization_id, run.agent_id).await?;
    let chosen = candidates.judged().find(|(_, _, ruling)| ruling.has_delivery());
    let chosen = chosen.map(|(_, known, ruling)| (known.candidate.id, known.standing, ruling));
    if let Some((webhook_id, _, ruling)) = chosen {
        let delivery = queue::NewDelivery {
            id: dispatch.delivery_id,
            organization_id,
            event_id: dispatch.event_id,
            kind,
            webhook_id,
            agent_id: Some(run.agent_id),
            run: Some((run.id, run.number)),
            redelivery_of: None,
            job: None,
            at,
        };
        queue::insert_delivery(transaction, &delivery).await?;
        if ruling != Ruling::Sent {
            queue::hold_back(transaction, dispatch.delivery_id, at).await?;
        }
    }
    let ending = Ending { run, generation, event: dispatch.event_id, delivery: dispatch.delivery_id };
    deciding::keep(transaction, &ending, &candidates).await?;
    let sent = chosen.filter(|(.., ruling)| *ruling == Ruling::Sent);
    let Some((webhook, standing, _)) = sent else { return Ok(Fate::NoWebhook) };
    let applicant = Applicant { delivery: dispatch.delivery_id, organization: organization_id, webhook, standing };
    let claimed = queue::claim_if_admitted(transaction, holder, &applicant, &*dispatch.places, at).await?;
    Ok(claimed.map_or(Fate::Due, Fate::Claimed))
}
