//! What a webhook missed is in the hands of the job that replays it.

use preclinical_core::{port::NewRedeliveryJob, redelivery::RedeliverySelection};

use crate::{
    failure::Failure,
    row::{Id, Time},
    transaction::Transaction,
};

/// The webhook has missed nothing any more, but what ended after the job was created. Not if the job leaves something out.
pub(super) async fn take_over(transaction: &Transaction, job: &NewRedeliveryJob) -> Result<(), Failure> {
    let (Some(missed), Some(webhook)) = (job.selection.missed(), job.selection.webhook_id) else { return Ok(()) };
    let sql = "UPDATE webhook_health SET missed_since = CASE WHEN EXISTS (SELECT FROM deliveries \
           WHERE deliveries.webhook_id = $1 AND missed AND completed_at > $4) THEN $4 END \
         FROM webhooks WHERE webhook_health.webhook_id = $1 AND webhooks.id = $1 AND organization_id = $2 AND is_enabled \
         AND missed_since >= $3";
    transaction.run(sql, &[&Id(webhook), &Id(job.organization_id), &Time(missed.since), &Time(job.at)]).await.map(drop)
}

/// The job did not replay all of it, and somebody may order that again.
pub(super) async fn give_back(transaction: &Transaction, selection: &RedeliverySelection) -> Result<(), Failure> {
    let (Some(missed), Some(webhook)) = (selection.missed(), selection.webhook_id) else { return Ok(()) };
    let sql = "UPDATE webhook_health SET missed_since = least(missed_since, $2) WHERE webhook_id = $1";
    transaction.run(sql, &[&Id(webhook), &Time(missed.since)]).await.map(drop)
}
