//! What a bulk redelivery repeats.

use jiff::Timestamp;
use preclinical_core::{
    delivery::DeliveryStatus,
    event::EventKind,
    id::{OrganizationId, RedeliveryJobId},
    port::DeliveryCursor,
    redelivery::RedeliverySelection,
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
        let RedeliverySelection { status, webhook_id, agent_id, run_id, created_after, created_before } = self.selection;
        let mut conditions = Conditions::of(self.organization);
        let status = conditions.bind(DeliveryStatus::from(status).as_str());
        let at = conditions.bind(Time(self.at));
        let before = conditions.bind(Time(created_before.unwrap_or(Timestamp::MAX)));
        // The nil id is nobody's; NULL would be that of every delivery without a job.
        let job = conditions.bind(job.map_or(Uuid::nil(), RedeliveryJobId::uuid));
        conditions.and("kind =", Some(EventKind::TestRunCompleted.as_str()));
        conditions.and("webhook_id =", webhook_id.map(Id));
        conditions.and("agent_id =", agent_id.map(Id));
        conditions.and("run_id =", run_id.map(Id));
        conditions.and("created_at >=", created_after.map(Time));
        conditions.and_also(&format!(
            "status = {status} AND completed_at <= {at} AND created_at < {before} AND redelivery_job IS DISTINCT FROM {job}"
        ));
        // Nothing came after it that stands in its place: a delivery of the same event to the same webhook that was under way or
        // delivered by then, or that is selected itself. Only what repeats another can be that.
        conditions.and_also(&format!(
            "NOT EXISTS (SELECT 1 FROM deliveries newer \
             WHERE newer.redelivery_of IS NOT NULL AND newer.event_id = deliveries.event_id AND newer.webhook_id = deliveries.webhook_id \
             AND (newer.created_at, newer.id) > (deliveries.created_at, deliveries.id) AND newer.created_at <= {at} \
             AND newer.redelivery_job IS DISTINCT FROM {job} \
             AND (newer.completed_at IS NULL OR newer.completed_at > {at} OR newer.status = 'delivered' \
             OR (newer.status = {status} AND newer.created_at < {before})))"
        ));
        conditions
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
        for (status, restricts) in RepeatedStatus::ALL.into_iter().flat_map(|status| (0..8).map(move |bits| (status, bits)))
        {
            let selection = RedeliverySelection {
                status,
                webhook_id: (restricts & 1 != 0).then(webhook),
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
