//! A step of a bulk redelivery is taken.

use jiff::Timestamp;
use preclinical_core::{
    id::{DeliveryId, RedeliveryJobId},
    port::{JobNext, JobStep},
    redelivery::{JobStatus, MAX_PENDING_OF_JOB, Skipped},
};
use rusqlite::{Connection, params};

use super::{jobs, looking::Ahead, missed, originals::Frozen};
use crate::{
    history, queue,
    row::{Id, Time},
    work::Work,
};

/// Writes what was found ahead, and how far the job has got by it: together or not at all. Nothing if the job moved meanwhile.
pub(super) fn take(
    work: &Work<'_>,
    job: RedeliveryJobId,
    ahead: &Ahead,
    ids: &[DeliveryId],
    at: Timestamp,
) -> rusqlite::Result<JobStep> {
    let Some((frozen, reached)) = jobs::frozen(work, job)? else {
        return Ok(JobStep { enqueued: 0, next: JobNext::Ended });
    };
    if reached != ahead.from {
        return Ok(JobStep { enqueued: 0, next: JobNext::Continue });
    }
    let (enqueued, skipped) = repeat(work, job, &frozen, ahead, ids, at)?;
    note(work, job, ahead, enqueued, skipped, at)?;
    if skipped.webhook_disabled > 0 {
        missed::give_back(work, &frozen.selection)?;
    }
    let is_full = ahead.pending + enqueued >= MAX_PENDING_OF_JOB;
    let next = match (ahead.is_last, is_full) {
        (true, _) => JobNext::Ended,
        (false, true) => JobNext::Wait,
        (false, false) => JobNext::Continue,
    };
    Ok(JobStep { enqueued, next })
}

fn repeat(
    work: &Work<'_>,
    job: RedeliveryJobId,
    frozen: &Frozen,
    ahead: &Ahead,
    ids: &[DeliveryId],
    at: Timestamp,
) -> rusqlite::Result<(u32, Skipped)> {
    let (mut enqueued, mut skipped) = (0, ahead.skipped);
    for (original, new) in ahead.sendable.iter().zip(ids) {
        let Some(old) = history::find_delivery(work, frozen.organization, *original)? else { continue };
        // Its webhook may have changed since it was found.
        match work.webhook(old.webhook_id)? {
            Some((webhook, _)) if webhook.candidate.is_enabled => {
                queue::repeat(work, &webhook, &old, *new, Some(job), at)?;
                if frozen.selection.is_on_recovery() {
                    queue::count_replay(work, old.id, *new)?;
                }
                enqueued += 1;
            }
            Some(_) => skipped.webhook_disabled += 1,
            None => skipped.webhook_deleted += 1,
        }
    }
    Ok((enqueued, skipped))
}

fn note(
    connection: &Connection,
    job: RedeliveryJobId,
    ahead: &Ahead,
    enqueued: u32,
    skipped: Skipped,
    at: Timestamp,
) -> rusqlite::Result<usize> {
    let (status, completed_at) =
        if ahead.is_last { (JobStatus::Completed, Some(Time(at))) } else { (JobStatus::Running, None) };
    // An attempt that ended just before the job was created may be recorded just after: then there is one more than was counted.
    connection
        .prepare_cached(
            "UPDATE redelivery_jobs SET status = ?2, completed_at = ?3, reached_at = ?4, reached_id = ?5, \
             enqueued = enqueued + ?6, skipped_deleted = skipped_deleted + ?7, skipped_disabled = skipped_disabled + ?8, \
             total = max(total, enqueued + skipped_deleted + skipped_disabled + ?6 + ?7 + ?8) WHERE id = ?1",
        )?
        .execute(params![
            Id(job),
            status.as_str(),
            completed_at,
            ahead.reached.map(|reached| Time(reached.created_at)),
            ahead.reached.map(|reached| Id(reached.id)),
            enqueued,
            skipped.webhook_deleted,
            skipped.webhook_disabled,
        ])
}
