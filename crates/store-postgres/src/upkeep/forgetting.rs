//! Deliveries that have had their time go, and all that belongs to them alone: one by one where their week cannot go as a whole,
//! because something in it is still needed, or where they are of no week.

use jiff::Timestamp;
use preclinical_core::id::{DeliveryId, EventId};
use uuid::Uuid;

use crate::{
    failure::Failure,
    partitions,
    row::{Id, Time, id},
    transaction::Transaction,
};

/// Those of weeks that were over by then. Ids begin with the time, so the oldest are the first.
const OF_WEEKS: &str = "DELETE FROM deliveries WHERE id < $1 AND id IN (SELECT id FROM deliveries \
     WHERE id < $1 AND status <> 'pending' AND completed_at < $2 ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED) \
     RETURNING id, event_id";

/// Those of no week. They need not wait for the end of one.
const OF_NO_WEEK: &str = "DELETE FROM deliveries_other WHERE id IN (SELECT id FROM deliveries_other \
     WHERE id < $1 AND status <> 'pending' AND completed_at < $2 ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED) \
     RETURNING id, event_id";

/// A run's event stays with the run; every other has nothing else.
const OF_NO_RUN: &str = "DELETE FROM events WHERE id = ANY($1) AND run_id IS NULL \
     AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.event_id = events.id)";

/// Forgets the oldest of them; answers how many.
pub(super) async fn forget(transaction: &Transaction, before: Timestamp, most: u32) -> Result<u64, Failure> {
    let most = u64::from(most);
    let of_weeks = forget_some(transaction, OF_WEEKS, partitions::week_under_way(before), before, most).await?;
    let later = DeliveryId::after(before).uuid();
    let of_no_week = forget_some(transaction, OF_NO_WEEK, later, before, most - of_weeks).await?;
    Ok(of_weeks + of_no_week)
}

async fn forget_some(
    transaction: &Transaction,
    old: &str,
    later: Uuid,
    before: Timestamp,
    most: u64,
) -> Result<u64, Failure> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = transaction.rows(old, &[&later, &Time(before), &most]).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let deliveries: Vec<Id<DeliveryId>> = rows.iter().map(|row| id(row, "id").map(Id)).collect::<Result<_, _>>()?;
    let events: Vec<Id<EventId>> = rows.iter().map(|row| id(row, "event_id").map(Id)).collect::<Result<_, _>>()?;
    transaction.run("DELETE FROM messages WHERE delivery_id = ANY($1)", &[&deliveries]).await?;
    transaction.run("DELETE FROM attempts WHERE delivery_id = ANY($1)", &[&deliveries]).await?;
    transaction.run(OF_NO_RUN, &[&events]).await?;
    Ok(deliveries.len() as u64)
}
