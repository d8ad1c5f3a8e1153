//! Webhooks that have recovered, and want what they missed without an order.

use jiff::Timestamp;
use preclinical_core::{
    id::{OrganizationId, RedeliveryJobId, WebhookId},
    port::NewRedeliveryJob,
    redelivery::{Missed, RedeliverySelection, Repeated},
    replay_on_recovery::{MAX_REPLAYS, ReplayOnRecovery},
};
use tokio_postgres::Row;

use super::originals::{self, Frozen};
use crate::{
    failure::Failure,
    row::{Id, Time, id, named, time},
    transaction::Transaction,
};

/// A replay that a webhook is owed.
pub(super) struct Owed {
    organization: OrganizationId,
    webhook: WebhookId,
    missed: Missed,
}

/// Whom a replay is owed at a time: a recovery that lies ahead of it was noted by a clock that was set back since. By an index that has no row of anybody who missed nothing, or wants none.
const OWED: &str = "SELECT health.webhook_id, organization_id, health.missed_since, replay_on_recovery \
     FROM webhook_health AS health JOIN webhooks ON webhooks.id = health.webhook_id \
     WHERE health.missed_since IS NOT NULL AND replay_on_recovery <> 'off' AND consecutive_failures = 0 AND is_enabled \
     AND last_success_at > health.missed_since AND last_success_at <= $2 AND EXISTS (SELECT FROM \
       (SELECT max(completed_at) AS at FROM deliveries \
        WHERE deliveries.webhook_id = health.webhook_id AND missed AND replays < $1) AS last \
       WHERE last.at BETWEEN health.missed_since AND last_success_at \
       AND NOT EXISTS (SELECT FROM redelivery_jobs job \
         WHERE job.webhook_id = health.webhook_id AND job.missed_since IS NOT NULL \
         AND (job.status <> 'completed' OR job.skipped_disabled > 0) \
         AND (job.status = 'running' OR (job.status = 'canceled' AND job.completed_at >= last.at) \
           OR (job.skipped_disabled > 0 AND job.completed_at >= last_success_at))))";

/// The statement behind [`some`].
pub(crate) fn first() -> String {
    format!("{OWED} ORDER BY health.webhook_id LIMIT $3")
}

pub(super) async fn some(transaction: &Transaction, limit: usize, at: Timestamp) -> Result<Vec<Owed>, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    transaction.rows(&first(), &[&i64::from(MAX_REPLAYS), &Time(at), &limit]).await?.iter().map(read).collect()
}

/// What is owed to that webhook, if it still is. Nobody else finds so before this transaction ends.
///
/// The lock comes first, in a statement of its own: whoever waited for it sees what was done meanwhile. Others have it for as long as a
/// record takes, so passing over what is locked would pass over a webhook that is busy.
pub(super) async fn still(transaction: &Transaction, owed: &Owed, at: Timestamp) -> Result<Option<Owed>, Failure> {
    let lock = "SELECT FROM webhook_health WHERE webhook_id = $1 FOR UPDATE";
    transaction.rows(lock, &[&Id(owed.webhook)]).await?;
    let sql = format!("{OWED} AND health.webhook_id = $3");
    let row = transaction.row(&sql, &[&i64::from(MAX_REPLAYS), &Time(at), &Id(owed.webhook)]).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Owed, Failure> {
    let wish = named(row, "replay_on_recovery", ReplayOnRecovery::parse)?;
    Ok(Owed {
        organization: id(row, "organization_id")?,
        webhook: id(row, "webhook_id")?,
        missed: Missed {
            since: time(row, "missed_since")?,
            newest_per_agent: wish == ReplayOnRecovery::NewestPerAgent,
            on_recovery: true,
        },
    })
}

impl Owed {
    fn selection(&self) -> RedeliverySelection {
        RedeliverySelection {
            ended: Repeated::Missed(self.missed),
            webhook_id: Some(self.webhook),
            agent_id: None,
            run_id: None,
            created_after: None,
            created_before: None,
        }
    }

    pub(super) async fn count(&self, transaction: &Transaction, at: Timestamp) -> Result<u64, Failure> {
        let frozen = Frozen { organization: self.organization, selection: self.selection(), at };
        originals::count(transaction, &frozen).await
    }

    pub(super) fn job(&self, id: RedeliveryJobId, at: Timestamp) -> NewRedeliveryJob {
        NewRedeliveryJob { id, organization_id: self.organization, selection: self.selection(), at }
    }
}
