//! Deliveries of no week that have had their time go, and all that belongs to them alone. Those of a week go with it.

use jiff::Timestamp;
use preclinical_core::id::{DeliveryId, EventId};

use crate::{
    failure::Failure,
    row::{Id, Time, id},
    transaction::Transaction,
};

/// Ids begin with the time, so the oldest are the first.
const OLD: &str = "DELETE FROM deliveries_other WHERE id IN (SELECT id FROM deliveries_other \
     WHERE id < $1 AND status <> 'pending' AND completed_at < $2 ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED) \
     RETURNING id, event_id";

/// A run's event stays with the run; that of a test has nothing else.
const OF_TESTS: &str = "DELETE FROM events WHERE id = ANY($1) AND kind = 'test' \
     AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.event_id = events.id)";

/// Forgets the oldest of them; answers how many.
pub(super) async fn forget(transaction: &Transaction, before: Timestamp, most: u32) -> Result<u64, Failure> {
    let later = Id(DeliveryId::after(before));
    let rows = transaction.rows(OLD, &[&later, &Time(before), &i64::from(most)]).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let deliveries: Vec<Id<DeliveryId>> = rows.iter().map(|row| id(row, "id").map(Id)).collect::<Result<_, _>>()?;
    let events: Vec<Id<EventId>> = rows.iter().map(|row| id(row, "event_id").map(Id)).collect::<Result<_, _>>()?;
    transaction.run("DELETE FROM messages WHERE delivery_id = ANY($1)", &[&deliveries]).await?;
    transaction.run("DELETE FROM attempts WHERE delivery_id = ANY($1)", &[&deliveries]).await?;
    transaction.run(OF_TESTS, &[&events]).await?;
    Ok(deliveries.len() as u64)
}
