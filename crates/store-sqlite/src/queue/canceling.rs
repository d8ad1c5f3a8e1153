//! Canceling what is pending. Leases stay: who holds one may still record how the attempt ended.

use jiff::Timestamp;
use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    id::{DeliveryId, OrganizationId, WebhookId},
    port::CancelDeliveryError,
};
use rusqlite::{Connection, params};

use crate::{
    history,
    row::{Id, Time, unavailable},
};

/// Ends what a webhook still has to send.
pub(crate) fn cancel_pending(connection: &Connection, webhook: WebhookId, at: Timestamp) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE deliveries SET status = ?2, completed_at = ?3, due_at = NULL WHERE webhook_id = ?1 AND status = 'pending'",
        )?
        .execute(params![Id(webhook), DeliveryStatus::Canceled.as_str(), Time(at)])
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
