//! What a bulk redelivery repeats.

use jiff::Timestamp;
use preclinical_core::{
    delivery::DeliveryStatus,
    event::EventKind,
    id::{OrganizationId, RedeliveryJobId},
    port::DeliveryCursor,
    redelivery::{Missed, RedeliverySelection, Repeated},
    replay_on_recovery::MAX_REPLAYS,
};
use rusqlite::Connection;

use crate::{
    history::{self, Conditions, Range, Scope},
    row::{Id, Time},
};

/// A selection among what had ended at a time. Rows that end or arrive later are not in it, whenever it is looked at.
pub(super) struct Frozen {
    pub(super) organization: OrganizationId,
    pub(super) selection: RedeliverySelection,
    pub(super) at: Timestamp,
}

/// A delivery to be repeated, and how its webhook is.
pub(super) struct Original {
    pub(super) position: DeliveryCursor,
    /// `None` if it was deleted.
    pub(super) is_enabled: Option<bool>,
}

/// Nothing came after it that stands in its place: a delivery of the same event to the same webhook that was under way or
/// delivered by then, or that is selected itself. Only what repeats another can be that.
fn is_newest(is_selected: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM deliveries newer INDEXED BY deliveries_repeated \
         WHERE newer.redelivery_of IS NOT NULL AND newer.event_id = deliveries.event_id AND newer.webhook_id = deliveries.webhook_id \
         AND (newer.created_at, newer.id) > (deliveries.created_at, deliveries.id) AND newer.created_at <= :at \
         AND newer.redelivery_job IS NOT :job \
         AND (newer.completed_at IS NULL OR newer.completed_at > :at OR newer.status = 'delivered' \
         OR ({is_selected} AND newer.created_at < :before)))"
    )
}

/// No later run of the agent takes its place: one that the webhook got by then, was about to get, or missed as well.
const IS_NEWEST_OF_AGENT: &str = "NOT EXISTS (SELECT 1 FROM deliveries newer INDEXED BY deliveries_of_webhook_and_agent \
     WHERE newer.webhook_id = deliveries.webhook_id AND newer.agent_id = deliveries.agent_id \
     AND newer.run_number > deliveries.run_number \
     AND (newer.created_at, newer.id) > (deliveries.created_at, deliveries.id) AND newer.created_at <= :at \
     AND newer.redelivery_job IS NOT :job \
     AND (newer.completed_at IS NULL OR newer.completed_at > :at OR newer.status = 'delivered' \
     OR (newer.missed = 1 AND newer.completed_at >= :since AND newer.created_at < :before)))";

impl Frozen {
    /// Conditions that hold for the originals; those that `job` itself wrote are not among them.
    pub(super) fn conditions(&self, job: Option<RedeliveryJobId>) -> Conditions {
        let RedeliverySelection { ended, webhook_id, agent_id, run_id, created_after, created_before } = self.selection;
        let mut conditions = Conditions::of(self.organization);
        match ended {
            Repeated::As(status) => {
                let status = DeliveryStatus::from(status);
                conditions.in_status(Some(status));
                conditions.and_also(&is_newest(&format!("newer.status = '{}'", status.as_str())));
            }
            Repeated::Missed(Missed { since, newest_per_agent, on_recovery }) => {
                conditions.and("missed = 1 AND completed_at >= :since", ":since", Some(Time(since)));
                conditions.and_also(&is_newest("newer.missed = 1 AND newer.completed_at >= :since"));
                if newest_per_agent {
                    conditions.and_also(IS_NEWEST_OF_AGENT);
                }
                conditions.and("replays < :most_replays", ":most_replays", on_recovery.then_some(MAX_REPLAYS));
            }
        }
        conditions.and("kind <> :test", ":test", Some(EventKind::Test.as_str()));
        conditions.and("completed_at <= :at", ":at", Some(Time(self.at)));
        conditions.and("webhook_id = :webhook", ":webhook", webhook_id.map(Id));
        conditions.and("agent_id = :agent", ":agent", agent_id.map(Id));
        conditions.and("run_id = :run", ":run", run_id.map(Id));
        conditions.and("created_at >= :after", ":after", created_after.map(Time));
        conditions.and("created_at < :before", ":before", Some(Time(created_before.unwrap_or(Timestamp::MAX))));
        // An empty id is nobody's; NULL would be that of every delivery without a job.
        let job = job.map_or(Vec::new(), |job| job.uuid().as_bytes().to_vec());
        conditions.and("redelivery_job IS NOT :job", ":job", Some(job));
        conditions
    }

    /// Where they are, in the order of their creation: what has ended is not under way.
    pub(super) fn ranges(&self, connection: &Connection) -> rusqlite::Result<Vec<Range>> {
        let RedeliverySelection { ended, webhook_id: webhook, agent_id: agent, run_id: run, .. } = self.selection;
        let status = match (ended, webhook) {
            (Repeated::Missed(_), Some(_)) => return Ok(vec![MISSED]),
            (Repeated::Missed(_), None) => None,
            (Repeated::As(status), _) => Some(DeliveryStatus::from(status)),
        };
        history::ranges(connection, &Scope { status, webhook, agent, run, ..Scope::default() })
    }
}

/// What a webhook has missed.
const MISSED: Range = Range { index: "deliveries_missed", condition: "TRUE", within: None };

pub(super) fn count(connection: &Connection, frozen: &Frozen) -> rusqlite::Result<u64> {
    let conditions = frozen.conditions(None);
    let count = |range: &Range| -> rusqlite::Result<u64> {
        connection
            .prepare_cached(&format!("SELECT count(*) FROM {}", conditions.source(range)))?
            .query_row(conditions.parameters(range).as_slice(), |row| row.get(0))
    };
    frozen.ranges(connection)?.iter().map(count).sum()
}

/// The statement behind [`after`], for one range.
pub(super) fn oldest_first(conditions: &Conditions, range: &Range) -> String {
    format!("SELECT created_at, id FROM {} ORDER BY created_at, id LIMIT :limit", conditions.source(range))
}

/// The conditions behind [`after`].
pub(super) fn conditions_after(
    frozen: &Frozen,
    job: RedeliveryJobId,
    reached: Option<DeliveryCursor>,
    limit: usize,
) -> Conditions {
    let mut conditions = frozen.conditions(Some(job));
    if let Some(reached) = reached {
        conditions.bind(":reached_id", Id(reached.id));
        conditions.and("(created_at, id) > (:reached_at, :reached_id)", ":reached_at", Some(Time(reached.created_at)));
    }
    conditions.bind(":limit", limit);
    conditions
}

/// The next originals behind a position, oldest first.
pub(super) fn after(
    connection: &Connection,
    frozen: &Frozen,
    job: RedeliveryJobId,
    reached: Option<DeliveryCursor>,
    limit: usize,
) -> rusqlite::Result<Vec<Original>> {
    let conditions = conditions_after(frozen, job, reached, limit);
    let mut positions = Vec::new();
    for range in frozen.ranges(connection)? {
        connection
            .prepare_cached(&oldest_first(&conditions, &range))?
            .query_map(conditions.parameters(&range).as_slice(), history::position)?
            .try_for_each(|position| position.map(|position| positions.push(position)))?;
    }
    positions.sort_unstable_by_key(|position| (position.created_at, position.id));
    positions.truncate(limit);
    positions.into_iter().map(|position| original(connection, position)).collect()
}

fn original(connection: &Connection, position: DeliveryCursor) -> rusqlite::Result<Original> {
    let is_enabled = connection
        .prepare_cached(
            "SELECT webhooks.is_enabled FROM deliveries LEFT JOIN webhooks ON webhooks.id = webhook_id WHERE deliveries.id = ?1",
        )?
        .query_row([Id(position.id)], |row| row.get(0))?;
    Ok(Original { position, is_enabled })
}

#[cfg(test)]
mod tests {
    use preclinical_core::{
        id::{AgentId, DeliveryId, RunId, WebhookId},
        redelivery::RepeatedStatus,
    };
    use uuid::Uuid;

    use super::*;
    use crate::history::plans::{database, plan, with_a_history};

    #[test]
    fn a_job_of_any_selection_goes_on_where_it_was_without_sorting_or_reading_all_there_is() {
        let nil = Uuid::nil();
        let missed = [(false, false), (true, false), (false, true), (true, true)].map(|(newest_per_agent, on_recovery)| {
            Repeated::Missed(Missed { since: Timestamp::UNIX_EPOCH, newest_per_agent, on_recovery })
        });
        let all = RepeatedStatus::ALL.map(Repeated::As).into_iter().chain(missed);
        for (ended, restricts) in all.flat_map(|ended| (0..8).map(move |bits| (ended, bits))) {
            // What was missed was missed by a webhook.
            let is_missed = matches!(ended, Repeated::Missed(_));
            let selection = RedeliverySelection {
                ended,
                webhook_id: (restricts & 1 != 0 || is_missed).then(|| WebhookId::from_uuid(nil)),
                agent_id: (restricts & 2 != 0).then(|| AgentId::from_uuid(nil)),
                run_id: (restricts & 4 != 0).then(|| RunId::from_uuid(nil)),
                created_after: Some(Timestamp::UNIX_EPOCH),
                created_before: Some(Timestamp::UNIX_EPOCH),
            };
            let frozen = Frozen { organization: OrganizationId::from_uuid(nil), selection, at: Timestamp::UNIX_EPOCH };
            let reached = DeliveryCursor { created_at: Timestamp::UNIX_EPOCH, id: DeliveryId::from_uuid(nil) };
            let conditions = conditions_after(&frozen, RedeliveryJobId::from_uuid(nil), Some(reached), 8);
            let database = database();
            with_a_history(&database);
            let ranges = frozen.ranges(&database).unwrap();
            assert!(!ranges.is_empty());
            for range in ranges {
                plan(&database, &oldest_first(&conditions, &range), &conditions.parameters(&range));
            }
        }
    }
}
