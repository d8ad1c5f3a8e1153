//! A step of a bulk redelivery is taken.

use jiff::Timestamp;
use preclinical_core::{
    id::{DeliveryId, RedeliveryJobId},
    port::{JobNext, JobStep},
    redelivery::{JobStatus, MAX_PENDING_OF_JOB, Skipped},
};

use super::{jobs, looking::Ahead, missed};
use crate::{
    failure::Failure,
    row::{Id, Time, get},
    transaction::Transaction,
};

/// Writes what was found ahead, and how far the job has got by it: together or not at all. Nothing if the job moved meanwhile.
pub(super) async fn take(
    transaction: &Transaction,
    job: RedeliveryJobId,
    ahead: &Ahead,
    ids: &[DeliveryId],
    at: Timestamp,
) -> Result<JobStep, Failure> {
    let Some(reached) = jobs::lock(transaction, job).await? else {
        return Ok(JobStep { enqueued: 0, next: JobNext::Ended });
    };
    if reached != ahead.from {
        return Ok(JobStep { enqueued: 0, next: JobNext::Continue });
    }
    let (enqueued, skipped) = repeat(transaction, job, ahead, ids, at).await?;
    if skipped.webhook_disabled > 0
        && let Some((frozen, _)) = jobs::frozen(transaction, job).await?
    {
        missed::give_back(transaction, &frozen.selection).await?;
    }
    note(transaction, job, ahead, enqueued, skipped, at).await?;
    let is_full = ahead.pending + enqueued >= MAX_PENDING_OF_JOB;
    let next = match (ahead.is_last, is_full) {
        (true, _) => JobNext::Ended,
        (false, true) => JobNext::Wait,
        (false, false) => JobNext::Continue,
    };
    Ok(JobStep { enqueued, next })
}

/// Writes a new delivery of the event of each original whose webhook can still be sent to.
async fn repeat(
    transaction: &Transaction,
    job: RedeliveryJobId,
    ahead: &Ahead,
    ids: &[DeliveryId],
    at: Timestamp,
) -> Result<(u32, Skipped), Failure> {
    let (mut skipped, mut olds, mut news) = (ahead.skipped, Vec::new(), Vec::new());
    let mut new = ids.iter().copied().map(Id);
    for (old, is_enabled) in now(transaction, ahead).await? {
        // Its webhook may have changed since it was found.
        match is_enabled {
            Some(true) => {
                olds.push(old);
                news.extend(new.next());
            }
            Some(false) => skipped.webhook_disabled += 1,
            None => skipped.webhook_deleted += 1,
        }
    }
    if olds.is_empty() {
        return Ok((0, skipped));
    }
    let sql = "INSERT INTO deliveries (id, organization_id, event_id, kind, webhook_id, agent_id, run_id, run_number, url, \
         status, due_at, redelivery_of, created_at, redelivery_job, replays) \
         SELECT new.id, old.organization_id, old.event_id, old.kind, old.webhook_id, old.agent_id, old.run_id, old.run_number, \
         webhook.url, 'pending', $3, old.id, $3, $4, \
         CASE WHEN (SELECT on_recovery FROM redelivery_jobs WHERE id = $4) THEN old.replays + 1 ELSE 0 END \
         FROM unnest($1, $2) AS new (id, of) JOIN deliveries old ON old.id = new.of \
         JOIN webhooks webhook ON webhook.id = old.webhook_id WHERE old.id = ANY($2)";
    let enqueued = transaction.run(sql, &[&news, &olds, &Time(at), &Id(job)]).await?;
    transaction.concerns(ahead.organization);
    transaction.leaves_work();
    Ok((u32::try_from(enqueued).unwrap_or(u32::MAX), skipped))
}

/// The originals in their order, and how their webhooks are now; `None` if one was deleted.
async fn now(transaction: &Transaction, ahead: &Ahead) -> Result<Vec<(Id<DeliveryId>, Option<bool>)>, Failure> {
    let originals: Vec<_> = ahead.sendable.iter().copied().map(Id).collect();
    let sql = "SELECT old.id, webhook.is_enabled FROM unnest($1) WITH ORDINALITY AS wanted (id, place) \
         JOIN deliveries old ON old.id = wanted.id LEFT JOIN webhooks webhook ON webhook.id = old.webhook_id \
         WHERE old.id = ANY($1) ORDER BY wanted.place";
    let rows = transaction.rows(sql, &[&originals]).await?;
    rows.iter().map(|row| Ok((get(row, "id")?, get(row, "is_enabled")?))).collect()
}

async fn note(
    transaction: &Transaction,
    job: RedeliveryJobId,
    ahead: &Ahead,
    enqueued: u32,
    skipped: Skipped,
    at: Timestamp,
) -> Result<(), Failure> {
    let (status, completed_at) =
        if ahead.is_last { (JobStatus::Completed, Some(Time(at))) } else { (JobStatus::Running, None) };
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    // An attempt that ended just before the job was created may be recorded just after: then there is one more than was counted.
    let sql = "UPDATE redelivery_jobs SET status = $2, completed_at = $3, reached_at = $4, reached_id = $5, \
         enqueued = enqueued + $6, skipped_deleted = skipped_deleted + $7, skipped_disabled = skipped_disabled + $8, \
         total = greatest(total, enqueued + skipped_deleted + skipped_disabled + $6 + $7 + $8) WHERE id = $1";
    transaction
        .run(
            sql,
            &[
                &Id(job),
                &status.as_str(),
                &completed_at,
                &ahead.reached.map(|reached| Time(reached.created_at)),
                &ahead.reached.map(|reached| Id(reached.id)),
                &i64::from(enqueued),
                &count(skipped.webhook_deleted),
                &count(skipped.webhook_disabled),
            ],
        )
        .await?;
    Ok(())
}
