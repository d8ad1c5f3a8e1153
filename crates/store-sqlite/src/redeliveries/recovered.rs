//! Webhooks that have recovered, and want what they missed without an order.

use jiff::Timestamp;
use preclinical_core::{
    id::{OrganizationId, RedeliveryJobId, WebhookId},
    port::NewRedeliveryJob,
    redelivery::{Missed, RedeliverySelection, Repeated},
    replay_on_recovery::{MAX_REPLAYS, ReplayOnRecovery},
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::originals::{self, Frozen};
use crate::row::{Id, Time, id, named, time};

/// A replay that a webhook is owed.
pub(super) struct Owed {
    organization: OrganizationId,
    webhook: WebhookId,
    missed: Missed,
}

/// Whom a replay is owed at a time: a recovery that lies ahead of it was noted by a clock that was set back since. By an index that has no row of anybody else but those who stopped one.
const OWED: &str = "SELECT id, organization_id, missed_since, replay_on_recovery FROM webhooks INDEXED BY webhooks_recovered \
     WHERE missed_since IS NOT NULL AND consecutive_failures = 0 AND is_enabled = 1 AND replay_on_recovery <> 'off' \
     AND last_success_at > missed_since AND last_success_at <= ?2 AND EXISTS (SELECT 1 FROM \
       (SELECT max(completed_at) AS at FROM deliveries INDEXED BY deliveries_missed_last \
        WHERE webhook_id = webhooks.id AND missed = 1 AND replays < ?1) AS last \
       WHERE last.at BETWEEN missed_since AND last_success_at \
       AND NOT EXISTS (SELECT 1 FROM redelivery_jobs job INDEXED BY redelivery_jobs_unfinished \
         WHERE job.webhook_id = webhooks.id AND job.missed_since IS NOT NULL \
         AND (job.status <> 'completed' OR job.skipped_disabled > 0) \
         AND (job.status = 'running' OR (job.status = 'canceled' AND job.completed_at >= last.at) \
           OR (job.skipped_disabled > 0 AND job.completed_at >= last_success_at))))";

/// The statement behind [`some`].
fn first() -> String {
    format!("{OWED} ORDER BY id LIMIT ?3")
}

pub(super) fn some(connection: &Connection, limit: usize, at: Timestamp) -> rusqlite::Result<Vec<Owed>> {
    connection.prepare_cached(&first())?.query_map(params![MAX_REPLAYS, Time(at), limit], read)?.collect()
}

/// What is owed to that webhook, if it still is.
pub(super) fn still(connection: &Connection, owed: &Owed, at: Timestamp) -> rusqlite::Result<Option<Owed>> {
    let sql = format!("{OWED} AND id = ?3");
    connection.prepare_cached(&sql)?.query_row(params![MAX_REPLAYS, Time(at), Id(owed.webhook)], read).optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Owed> {
    let wish = named(row, "replay_on_recovery", ReplayOnRecovery::parse)?;
    Ok(Owed {
        organization: id(row, "organization_id")?,
        webhook: id(row, "id")?,
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

    pub(super) fn count(&self, connection: &Connection, at: Timestamp) -> rusqlite::Result<u64> {
        originals::count(connection, &Frozen { organization: self.organization, selection: self.selection(), at })
    }

    pub(super) fn job(&self, id: RedeliveryJobId, at: Timestamp) -> NewRedeliveryJob {
        NewRedeliveryJob { id, organization_id: self.organization, selection: self.selection(), at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::plans::database;

    #[test]
    fn whom_a_replay_is_owed_is_found_without_looking_at_anybody_else() {
        let database = database();
        let steps = database
            .prepare(&format!("EXPLAIN QUERY PLAN {}", first()))
            .unwrap()
            .query_map(params![MAX_REPLAYS, Time(Timestamp::UNIX_EPOCH), 8], |row| row.get::<_, String>("detail"))
            .unwrap()
            .collect::<rusqlite::Result<Vec<_>>>()
            .unwrap();
        let reads = |index: &str| steps.iter().any(|step| step.contains(index));
        assert!(reads("webhooks_recovered") && !reads("TEMP B-TREE"), "{steps:?}");
        assert!(reads("SEARCH deliveries USING INDEX deliveries_missed_last (webhook_id=?)"), "{steps:?}");
        assert!(reads("SEARCH job USING INDEX redelivery_jobs_unfinished (webhook_id=?)"), "{steps:?}");
    }
}
