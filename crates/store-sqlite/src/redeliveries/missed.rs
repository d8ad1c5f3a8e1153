//! What a webhook missed is in the hands of the job that replays it.

use preclinical_core::{port::NewRedeliveryJob, redelivery::RedeliverySelection};
use rusqlite::{Connection, params};

use crate::row::{Id, Time};

/// The webhook has missed nothing any more, but what ended after the job was created. Not if the job leaves something out.
pub(super) fn take_over(connection: &Connection, job: &NewRedeliveryJob) -> rusqlite::Result<()> {
    let (Some(missed), Some(webhook)) = (job.selection.missed(), job.selection.webhook_id) else { return Ok(()) };
    connection
        .prepare_cached(
            "UPDATE webhooks SET missed_since = CASE WHEN EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_missed \
             WHERE webhook_id = ?1 AND missed = 1 AND completed_at > ?4) THEN ?4 END \
             WHERE id = ?1 AND organization_id = ?2 AND missed_since >= ?3 AND is_enabled = 1",
        )?
        .execute(params![Id(webhook), Id(job.organization_id), Time(missed.since), Time(job.at)])
        .map(drop)
}

/// The job did not replay all of it, and somebody may order that again.
pub(super) fn give_back(connection: &Connection, selection: &RedeliverySelection) -> rusqlite::Result<()> {
    let (Some(missed), Some(webhook)) = (selection.missed(), selection.webhook_id) else { return Ok(()) };
    connection
        .prepare_cached("UPDATE webhooks SET missed_since = min(coalesce(missed_since, ?2), ?2) WHERE id = ?1")?
        .execute(params![Id(webhook), Time(missed.since)])
        .map(drop)
}
