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

/// What a webhook still has to send, locked in the order of ids, as everybody does who locks several.
pub(super) const PENDING: &str = "SELECT count(*) FROM ( \
     SELECT FROM deliveries WHERE webhook_id = $1 AND status = 'pending' ORDER BY id FOR UPDATE) locked";

/// Not by those ids: for many of them PostgreSQL would read the whole history.
pub(super) const CANCELED: &str = "WITH canceled AS (UPDATE deliveries SET status = 'canceled', completed_at = $2, due_at = NULL \
     WHERE webhook_id = $1 AND status = 'pending' RETURNING organization_id) \
     SELECT organization_id FROM canceled LIMIT 1";

/// Ends what a webhook still has to send. Nobody adds to it meanwhile: whoever calls this is alone with the organization.
pub(crate) async fn cancel_pending(transaction: &Transaction, webhook: WebhookId, at: Timestamp) -> Result<(), Failure> {
    transaction.rows(PENDING, &[&Id(webhook)]).await?;
    let row = transaction.row(CANCELED, &[&Id(webhook), &Time(at)]).await?;
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
