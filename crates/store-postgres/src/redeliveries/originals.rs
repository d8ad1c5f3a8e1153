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
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    failure::Failure,
    history::Conditions,
    row::{Id, Time, get, id, number, time},
    transaction::Transaction,
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

impl Frozen {
    /// Conditions that hold for the originals; those that `job` itself wrote are not among them.
    pub(super) fn conditions(&self, job: Option<RedeliveryJobId>) -> Conditions {
        let RedeliverySelection { ended, webhook_id, agent_id, run_id, created_after, created_before } = self.selection;
        let mut conditions = Conditions::of(self.organization);
        let at = conditions.bind(Time(self.at));
        let before = conditions.bind(Time(created_before.unwrap_or(Timestamp::MAX)));
        // The nil id is nobody's; NULL would be that of every delivery without a job.
        let job = conditions.bind(job.map_or(Uuid::nil(), RedeliveryJobId::uuid));
        let has_ended_so = has_ended_so(&mut conditions, ended);
        conditions.and("kind <>", Some(EventKind::Test.as_str()));
        conditions.and("webhook_id =", webhook_id.map(Id));
        conditions.and("agent_id =", agent_id.map(Id));
        conditions.and("run_id =", run_id.map(Id));
        conditions.and("created_at >=", created_after.map(Time));
        let selected = has_ended_so("deliveries");
        conditions.and_also(&format!(
            "{selected} AND completed_at <= {at} AND created_at < {before} AND redelivery_job IS DISTINCT FROM {job}"
        ));
        // Whether the webhook got it later, was about to get it, or would by this selection.
        let is_later = format!(
            "newer.webhook_id = deliveries.webhook_id \
             AND (newer.created_at, newer.id) > (deliveries.created_at, deliveries.id) AND newer.created_at <= {at} \
             AND newer.redelivery_job IS DISTINCT FROM {job} \
             AND (newer.completed_at IS NULL OR newer.completed_at > {at} OR newer.status = 'delivered' \
             OR ({} AND newer.created_at < {before}))",
            has_ended_so("newer")
        );
        // Nothing came after it that stands in its place. Only what repeats another can be that.
        conditions.and_also(&format!(
            "NOT EXISTS (SELECT 1 FROM deliveries newer \
             WHERE newer.redelivery_of IS NOT NULL AND newer.event_id = deliveries.event_id AND {is_later})"
        ));
        if matches!(ended, Repeated::Missed(Missed { newest_per_agent: true, .. })) {
            conditions.and_also(&format!(
                "NOT EXISTS (SELECT 1 FROM deliveries newer WHERE newer.agent_id = deliveries.agent_id \
                 AND newer.run_number > deliveries.run_number AND {is_later})"
            ));
        }
        let is_on_recovery = self.selection.is_on_recovery();
        conditions.and("replays <", is_on_recovery.then_some(i64::from(MAX_REPLAYS)));
        conditions
    }
}

/// What holds for a table's rows that ended so.
fn has_ended_so(conditions: &mut Conditions, ended: Repeated) -> impl Fn(&str) -> String + use<> {
    let value = match ended {
        Repeated::As(status) => conditions.bind(DeliveryStatus::from(status).as_str()),
        Repeated::Missed(missed) => conditions.bind(Time(missed.since)),
    };
    move |table| match ended {
        Repeated::As(_) => format!("{table}.status = {value}"),
        Repeated::Missed(_) => format!("{table}.missed AND {table}.completed_at >= {value}"),
    }
}

pub(super) async fn count(transaction: &Transaction, frozen: &Frozen) -> Result<u64, Failure> {
    let conditions = frozen.conditions(None);
    let sql = format!("SELECT count(*) AS total FROM deliveries WHERE {}", conditions.sql());
    let row = transaction.row(&sql, &conditions.parameters()).await?;
    number(&row.ok_or_else(|| Failure::unreadable("total"))?, "total")
}

/// The statement behind [`after`], and the values of its parameters.
pub(super) fn oldest_first(
    frozen: &Frozen,
    job: RedeliveryJobId,
    reached: Option<DeliveryCursor>,
    limit: usize,
) -> (String, Conditions) {
    let mut conditions = frozen.conditions(Some(job));
    if let Some(reached) = reached {
        let (at, id) = (conditions.bind(Time(reached.created_at)), conditions.bind(Id(reached.id)));
        conditions.and_also(&format!("(created_at, id) > ({at}, {id})"));
    }
    let limit = conditions.bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let sql = format!(
        "SELECT created_at, id, (SELECT is_enabled FROM webhooks WHERE webhooks.id = deliveries.webhook_id) AS is_enabled \
         FROM deliveries WHERE {} ORDER BY created_at, id LIMIT {limit}",
        conditions.sql()
    );
    (sql, conditions)
}

/// The next originals behind a position, oldest first.
pub(super) async fn after(
    transaction: &Transaction,
    frozen: &Frozen,
    job: RedeliveryJobId,
    reached: Option<DeliveryCursor>,
    limit: usize,
) -> Result<Vec<Original>, Failure> {
    let (sql, conditions) = oldest_first(frozen, job, reached, limit);
    transaction.rows(&sql, &conditions.parameters()).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Original, Failure> {
    let position = DeliveryCursor { created_at: time(row, "created_at")?, id: id(row, "id")? };
    Ok(Original { position, is_enabled: get(row, "is_enabled")? })
}

#[cfg(test)]
mod tests {
    use preclinical_core::{id::DeliveryId, redelivery::RepeatedStatus};

    use super::*;
    use crate::history::plans::{Planner, agent, organization, run, webhook};

    #[tokio::test]
    async fn a_job_of_any_selection_goes_on_where_it_was_without_sorting_or_reading_all_there_is() {
        let Some(planner) = Planner::new().await else { return };
        let missed = [(false, false), (true, false), (false, true), (true, true)].map(|(newest_per_agent, on_recovery)| {
            Repeated::Missed(Missed { since: Timestamp::UNIX_EPOCH, newest_per_agent, on_recovery })
        });
        let all = RepeatedStatus::ALL.map(Repeated::As).into_iter().chain(missed);
        for (ended, restricts) in all.flat_map(|ended| (0..8).map(move |bits| (ended, bits))) {
            // What was missed was missed by a webhook.
            let is_missed = matches!(ended, Repeated::Missed(_));
            let selection = RedeliverySelection {
                ended,
                webhook_id: (restricts & 1 != 0 || is_missed).then(webhook),
                agent_id: (restricts & 2 != 0).then(agent),
                run_id: (restricts & 4 != 0).then(run),
                created_after: Some(Timestamp::UNIX_EPOCH),
                created_before: Some(Timestamp::MAX),
            };
            let frozen = Frozen { organization: organization(), selection, at: Timestamp::MAX };
            let reached = DeliveryCursor { created_at: Timestamp::UNIX_EPOCH, id: DeliveryId::from_uuid(Uuid::nil()) };
            let (sql, conditions) = oldest_first(&frozen, RedeliveryJobId::from_uuid(Uuid::nil()), Some(reached), 8);
            let indexes = planner.indexes(&sql, &conditions.parameters()).await;
            assert!(!indexes.contains(&"deliveries_newest".to_owned()), "{indexes:?}");
            assert!(indexes.contains(&"deliveries_repeated".to_owned()), "{indexes:?}");
        }
    }
}
