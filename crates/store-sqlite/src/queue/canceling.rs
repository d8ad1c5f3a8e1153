//! Canceling what is pending. Leases stay: who holds one may still record how the attempt ended.

use jiff::Timestamp;
use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    id::{DeliveryId, OrganizationId, WebhookId},
    port::CancelDeliveryError,
};
use rusqlite::{Connection, params};

use super::claim::note_interruption;
use crate::{
    history,
    row::{Id, Time, id, unavailable},
};

/// An index holds what is pending by organization and webhook.
const CANCEL_PENDING: &str = "UPDATE deliveries SET status = ?2, completed_at = ?3, due_at = NULL, missed = kind <> 'test' \
     AND EXISTS (SELECT 1 FROM webhooks WHERE id = ?1 AND disabled_reason IS NOT NULL) WHERE status = 'pending' \
     AND organization_id = (SELECT organization_id FROM webhooks WHERE id = ?1) AND webhook_id = ?1";

/// Ends what a webhook still has to send. It is missed if we have disabled the webhook.
pub(crate) fn cancel_pending(connection: &Connection, webhook: WebhookId, at: Timestamp) -> rusqlite::Result<usize> {
    connection.prepare_cached(CANCEL_PENDING)?.execute(params![Id(webhook), DeliveryStatus::Canceled.as_str(), Time(at)])
}

/// An index holds these alone.
const CANCELED_UNDER_WAY: &str = "SELECT id FROM deliveries WHERE status = 'canceled' AND lease_token IS NOT NULL";

/// Lets go of what was canceled while a process that is dead had it under way: nobody will tell how that ended.
pub(crate) fn interrupt_canceled(connection: &Connection) -> rusqlite::Result<()> {
    let canceled: Vec<DeliveryId> = connection
        .prepare_cached(CANCELED_UNDER_WAY)?
        .query_map([], |row| id(row, "id"))?
        .collect::<rusqlite::Result<_>>()?;
    for delivery in canceled {
        note_interruption(connection, delivery)?;
        connection
            .prepare_cached("UPDATE deliveries SET lease_token = NULL WHERE id = ?1")?
            .execute(params![Id(delivery)])?;
    }
    Ok(())
}

/// Ends one delivery that is pending.
pub(super) fn cancel(
    connection: &Connection,
    organization: OrganizationId,
    id: DeliveryId,
    at: Timestamp,
) -> Result<Delivery, CancelDeliveryError> {
    let found = history::find_delivery(connection, organization, id).map_err(unavailable)?;
    let delivery = found.ok_or(CancelDeliveryError::NotFound)?;
    if delivery.status != DeliveryStatus::Pending {
        return Err(CancelDeliveryError::AlreadyEnded(delivery.status));
    }
    let status = DeliveryStatus::Canceled;
    connection
        .prepare_cached("UPDATE deliveries SET status = ?2, completed_at = ?3, due_at = NULL WHERE id = ?1")
        .and_then(|mut statement| statement.execute(params![Id(id), status.as_str(), Time(at)]))
        .map_err(unavailable)?;
    Ok(Delivery { status, next_attempt_at: None, completed_at: Some(at), ..delivery })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::plans::database;

    #[test]
    fn what_was_canceled_under_way_is_found_without_reading_all_there_is() {
        let database = database();
        let mut statement = database.prepare(&format!("EXPLAIN QUERY PLAN {CANCELED_UNDER_WAY}")).unwrap();
        let step: String = statement.query_row([], |row| row.get("detail")).unwrap();
        assert!(step.contains("INDEX deliveries_canceled_under_way"), "{step}");
    }

    #[test]
    fn what_a_webhook_still_has_to_send_is_found_without_its_history() {
        let database = database();
        let mut statement = database.prepare(&format!("EXPLAIN QUERY PLAN {CANCEL_PENDING}")).unwrap();
        let step: String = statement.raw_query().next().unwrap().unwrap().get("detail").unwrap();
        assert!(step.contains("INDEX deliveries_waiting (organization_id=? AND webhook_id=?)"), "{step}");
    }
}
