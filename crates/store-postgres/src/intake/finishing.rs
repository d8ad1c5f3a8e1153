//! The end of runs: final state, event and delivery as one fact, of one run or of several that end together.

use std::collections::HashMap;

use jiff::Timestamp;
use preclinical_core::{
    id::{EventId, OrganizationId, RunId, WebhookId},
    port::{Fate, Finish, FinishError, Finished, ReportedCounts, StoreError},
    run::{FinalStatus, Run, RunNumber, RunRef, RunStatus},
    tally::Tally,
};
use tokio_postgres::Row;

use super::settling::{self, Settled};
use crate::{
    candidates::Webhooks,
    failure::{Failure, unavailable},
    queue::Holder,
    row::{self, Id, id, maybe_id, number},
    transaction::{Transaction, lock_of},
};

/// What came of a run that was to end with others.
pub(super) enum End {
    /// It has ended.
    Ended(Box<Finished>),
    /// It does not, and nothing was written for it.
    Refused(FinishError),
    /// Nothing yet: another of these ended the same run.
    Later,
}

/// A run that is locked.
#[derive(Clone)]
pub(super) struct Locked {
    run: Run,
    reported: i64,
    generation: i64,
}

/// Ends the runs that callers name, each of which belongs to the organization.
pub(super) async fn finish(
    transaction: &Transaction,
    holder: Holder<'_>,
    organization: OrganizationId,
    finishes: &[&Finish],
) -> Result<Vec<End>, StoreError> {
    let (mut known, webhooks) = lock(transaction, organization, finishes).await.map_err(unavailable)?;
    let (mut ends, mut settled, mut finals) = (Vec::new(), Vec::new(), Vec::new());
    for (index, finish) in finishes.iter().enumerate() {
        let Some(place) = known.get_mut(finish.run) else {
            ends.push(End::Refused(FinishError::RunNotFound));
            continue;
        };
        let end = match place.take() {
            None => End::Later,
            Some(locked) if locked.run.status.is_final() => {
                finals.push((index, locked.run.clone()));
                *place = Some(locked);
                End::Later
            }
            Some(locked) => match end(locked, finish) {
                Ok(one) => {
                    settled.push((index, one));
                    End::Later
                }
                Err(refused) => {
                    let (locked, error) = *refused;
                    *place = Some(locked);
                    End::Refused(error)
                }
            },
        };
        ends.push(end);
    }
    let repeated = ended_by(transaction, finishes, &finals).await.map_err(unavailable)?;
    for (index, run) in finals {
        ends[index] = if repeated.get(&finishes[index].dispatch.event_id) == Some(&run.id) {
            End::Ended(Box::new(Finished { run, fate: Fate::NotFinal }))
        } else {
            End::Refused(FinishError::AlreadyFinal(run.status))
        };
    }
    let (indexes, settled): (Vec<_>, Vec<_>) = settled.into_iter().unzip();
    let fates = settling::settle(transaction, holder, organization, &webhooks, &settled).await.map_err(unavailable)?;
    for ((index, one), fate) in indexes.into_iter().zip(settled).zip(fates) {
        ends[index] = End::Ended(Box::new(Finished { run: one.run, fate }));
    }
    Ok(ends)
}

/// The runs that were found, by id and by number; one is taken out when it ends.
struct Known {
    runs: HashMap<RunId, Option<Locked>>,
    ids: HashMap<RunNumber, RunId>,
}

impl Known {
    fn get_mut(&mut self, run: RunRef) -> Option<&mut Option<Locked>> {
        let id = match run {
            RunRef::Id(id) => id,
            RunRef::Number(number) => *self.ids.get(&number)?,
        };
        self.runs.get_mut(&id)
    }
}

/// By a function of the schema: a row for each run and, behind them, one for each webhook that may hear of them. The turn of
/// [`Turn::Beside`](crate::transaction::Turn::Beside) is taken before the function looks at anything, and without a statement of its own.
const LOCK: &str = "SELECT * FROM lock_runs($1, CASE WHEN pg_advisory_xact_lock_shared($3)::text IS NOT NULL THEN $2 END)";

/// The runs, which nobody else changes before this transaction ends, and the webhooks that may hear of them. Whoever locks several does
/// it in the order of ids.
async fn lock(
    transaction: &Transaction,
    organization: OrganizationId,
    finishes: &[&Finish],
) -> Result<(Known, Webhooks), Failure> {
    let (mut ids, mut numbers) = (Vec::new(), Vec::new());
    for finish in finishes {
        match finish.run {
            RunRef::Id(id) => ids.push(Id(id)),
            RunRef::Number(number) => numbers.push(i64::from(number.0)),
        }
    }
    if !numbers.is_empty() {
        let sql = "SELECT id FROM runs WHERE organization_id = $1 AND number = ANY($2)";
        for row in transaction.rows(sql, &[&Id(organization), &numbers]).await? {
            ids.push(Id(id(&row, "id")?));
        }
    }
    let (locked, webhooks) = lock_with_webhooks(transaction, organization, &ids).await?;
    let ids = locked.iter().map(|locked| (locked.run.number, locked.run.id)).collect();
    let runs = locked.into_iter().map(|locked| (locked.run.id, Some(locked))).collect();
    Ok((Known { runs, ids }, webhooks))
}

/// The same by their ids.
pub(super) async fn lock_with_webhooks(
    transaction: &Transaction,
    organization: OrganizationId,
    ids: &Vec<Id<RunId>>,
) -> Result<(Vec<Locked>, Webhooks), Failure> {
    let rows = transaction.rows(LOCK, &[&Id(organization), ids, &lock_of(organization)]).await?;
    let is_run = |row: &&Row| matches!(maybe_id::<WebhookId>(row, "webhook_id"), Ok(None));
    let (runs, webhooks): (Vec<_>, Vec<_>) = rows.iter().partition(is_run);
    let locked = |row: &Row| {
        Ok(Locked { run: row::run(row)?, reported: number(row, "reported")?, generation: number(row, "generation")? })
    };
    let locked = runs.into_iter().map(locked).collect::<Result<_, Failure>>()?;
    Ok((locked, Webhooks::read(webhooks)?))
}

/// Which runs the events of these calls have ended before.
async fn ended_by(
    transaction: &Transaction,
    finishes: &[&Finish],
    finals: &[(usize, Run)],
) -> Result<HashMap<EventId, RunId>, Failure> {
    if finals.is_empty() {
        return Ok(HashMap::new());
    }
    let events: Vec<_> = finals.iter().map(|(index, _)| Id(finishes[*index].dispatch.event_id)).collect();
    let sql = "SELECT id, run_id FROM events WHERE id = ANY($1) AND run_id IS NOT NULL";
    let rows = transaction.rows(sql, &[&events]).await?;
    rows.iter().map(|row| Ok((id(row, "id")?, id(row, "run_id")?))).collect()
}

fn end(locked: Locked, finish: &Finish) -> Result<Settled<'_>, Box<(Locked, FinishError)>> {
    let tally = match finish.counts.map(|counts| counted(&locked, counts)).transpose() {
        Ok(counted) => counted.unwrap_or(locked.run.tally),
        Err(error) => return Err(Box::new((locked, error))),
    };
    let run = ended(locked.run, finish.to, tally, finish.at);
    Ok(Settled { run, generation: locked.generation + 1, dispatch: &finish.dispatch })
}

/// The run as it is once it ended at `at`. A run that nobody saw begin began when it ended, unless it was canceled.
pub(super) fn ended(run: Run, to: FinalStatus, tally: Tally, at: Timestamp) -> Run {
    let started_at = match to {
        FinalStatus::Canceled => run.started_at,
        FinalStatus::Completed | FinalStatus::Failed => run.started_at.or(Some(at)),
    };
    Run { status: RunStatus::from(to), tally, started_at, completed_at: Some(at), ..run }
}

fn counted(locked: &Locked, counts: ReportedCounts) -> Result<Tally, FinishError> {
    if locked.reported > 0 {
        return Err(FinishError::CountsNotWanted);
    }
    let mut tally = Tally { passed: counts.passed, failed: counts.failed, error: counts.error, total: 0 };
    let judged = tally.judged();
    let sum = u32::try_from(judged).unwrap_or(u32::MAX);
    tally.total = counts.total.unwrap_or(locked.run.tally.total.max(sum));
    if judged > u64::from(tally.total) {
        return Err(FinishError::CountsExceedTotal { judged, total: tally.total });
    }
    Ok(tally)
}
