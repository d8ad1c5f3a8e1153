//! Canceling what is pending. Leases stay: who holds one may still record how the attempt ended.

use jiff::Timestamp;
use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    id::{DeliveryId, OrganizationId, WebhookId},
    port::CancelDeliveryError,
};

use crate::{
    failure::{Failure, unavailable},
    history,
    row::{Id, Time, id},
    transaction::Transaction,
};

/// Ends what a webhook still has to send. Locks in the order of ids, as everybody does who locks several.
pub(crate) async fn cancel_pending(transaction: &Transaction, webhook: WebhookId, at: Timestamp) -> Result<(), Failure> {
    let sql = "WITH pending AS (SELECT id FROM deliveries WHERE webhook_id = $1 AND status = 'pending' ORDER BY id FOR UPDATE) \
         UPDATE deliveries SET status = $2, completed_at = $3, due_at = NULL FROM pending WHERE deliveries.id = pending.id \
         RETURNING organization_id";
    let row = transaction.row(sql, &[&Id(webhook), &DeliveryStatus::Canceled.as_str(), &Time(at)]).await?;
    row.map_or(Ok(()), |row| id(&row, "organization_id").map(|organization| transaction.concerns(organization)))
}

/// Ends one delivery that is pending.
pub(super) async fn cancel(
    transaction: &Transaction,
    organization: OrganizationId,
    delivery: DeliveryId,
    at: Timestamp,
) -> Result<Delivery, CancelDeliveryError> {
    let found = history::lock_delivery(transaction, organization, delivery).await.map_err(unavailable)?;
    let found = found.ok_or(CancelDeliveryError::NotFound)?;
    if found.status != DeliveryStatus::Pending {
        return Err(CancelDeliveryError::AlreadyEnded(found.status));
    }
    let status = DeliveryStatus::Canceled;
    let sql = "UPDATE deliveries SET status = $2, completed_at = $3, due_at = NULL WHERE id = $1";
    transaction.run(sql, &[&Id(delivery), &status.as_str(), &Time(at)]).await.map_err(unavailable)?;
    transaction.concerns(organization);
    Ok(Delivery { status, next_attempt_at: None, completed_at: Some(at), ..found })
}
