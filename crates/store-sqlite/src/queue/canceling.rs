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

/// Deliveries that one statement cancels: what a statement changes is kept in memory until it has ended.
const AT_ONCE: usize = 1000;

/// What of a webhook waits.
const WAITING: &str = "SELECT id FROM deliveries WHERE due_at IS NOT NULL \
     AND organization_id = (SELECT organization_id FROM webhooks WHERE id = ?1) AND webhook_id = ?1 LIMIT ?4";

/// What of a webhook is under way. Of all webhooks together that is no more than there are places.
const UNDER_WAY: &str =
    "SELECT id FROM deliveries INDEXED BY deliveries_leased WHERE lease_until IS NOT NULL AND webhook_id = ?1 LIMIT ?4";

fn cancel_all(which: &str) -> String {
    format!(
        "UPDATE deliveries SET status = ?2, completed_at = ?3, due_at = NULL, lease_until = NULL, missed = kind <> 'test' \
         AND EXISTS (SELECT 1 FROM webhooks WHERE id = ?1 AND disabled_reason IS NOT NULL) WHERE id IN ({which})"
    )
}

/// Ends what a webhook still has to send. It is missed if we have disabled the webhook.
pub(crate) fn cancel_pending(connection: &Connection, webhook: WebhookId, at: Timestamp) -> rusqlite::Result<usize> {
    let mut canceled = 0;
    for which in [WAITING, UNDER_WAY] {
        let mut statement = connection.prepare_cached(&cancel_all(which))?;
        loop {
            let status = DeliveryStatus::Canceled.as_str();
            let slice = statement.execute(params![Id(webhook), status, Time(at), AT_ONCE])?;
            canceled += slice;
            if slice < AT_ONCE {
                break;
            }
        }
    }
    Ok(canceled)
}

/// An index holds these alone.
const CANCELED_UNDER_WAY: &str = "SELECT id FROM deliveries INDEXED BY deliveries_canceled_under_way WHERE status = 'canceled' AND lease_token IS NOT NULL";

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
        .prepare_cached(
            "UPDATE deliveries SET status = ?2, completed_at = ?3, due_at = NULL, lease_until = NULL WHERE id = ?1",
        )
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
        for (which, read) in [
            (WAITING, "INDEX deliveries_waiting (organization_id=? AND webhook_id=?"),
            (UNDER_WAY, "INDEX deliveries_leased (lease_until"),
        ] {
            let mut statement = database.prepare(&format!("EXPLAIN QUERY PLAN {}", cancel_all(which))).unwrap();
            let (mut rows, mut steps) = (statement.raw_query(), Vec::new());
            while let Some(row) = rows.next().unwrap() {
                steps.push(row.get::<_, String>("detail").unwrap());
            }
            assert!(steps.iter().any(|step| step.contains(read)), "{steps:?}");
            assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{steps:?}");
        }
    }
}
