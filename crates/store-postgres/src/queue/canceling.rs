//! Canceling what is pending. Leases stay: who holds one may still record how the attempt ended.
//!
//! What a webhook still has to send may be more than one transaction can end in its time. The one that disables or deletes the webhook
//! ends a part, and the others follow before the call is answered ([`Writers::run`](crate::writing::Writers::run)). Should they not,
//! because the process dies, whoever claims the deliveries that are left ends them.

use jiff::Timestamp;
use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    id::{DeliveryId, OrganizationId, WebhookId},
    port::CancelDeliveryError,
};
use uuid::Uuid;

use crate::{
    failure::{Failure, unavailable},
    history,
    row::{Id, Time, id},
    transaction::Transaction,
};

/// Deliveries that one transaction ends, which is the work of a fraction of a second.
const PART: i64 = 250;

/// Where the part after the one that begins there begins.
pub(super) const BOUND: &str = "SELECT id FROM deliveries WHERE webhook_id = $1 AND status = 'pending' AND id >= $2 \
     ORDER BY id LIMIT 1 OFFSET $3";

/// The first part, and all tests: there may be others later, which have nothing to do with this.
pub(super) const FIRST: &str = "(id < $2 OR kind = 'test')";

/// Another part.
pub(super) const LATER: &str = "id < $2 AND id >= $3 AND kind <> 'test'";

/// Locks a part in the order of ids, as everybody does who locks several.
pub(super) fn locked(part: &str) -> String {
    let pending = format!("webhook_id = $1 AND status = 'pending' AND {part}");
    format!("SELECT count(*) FROM (SELECT FROM deliveries WHERE {pending} ORDER BY id FOR UPDATE) locked")
}

/// Ends a part; it is missed if we have disabled the webhook. Not by the ids of what was locked: for many of them PostgreSQL would read the whole history.
pub(super) fn canceled(part: &str) -> String {
    format!(
        "WITH canceled AS (UPDATE deliveries SET status = 'canceled', completed_at = $4, due_at = NULL, \
         missed = kind <> 'test' AND EXISTS (SELECT FROM webhooks WHERE id = $1 AND disabled_reason IS NOT NULL) \
         WHERE webhook_id = $1 AND status = 'pending' AND {part} RETURNING organization_id) \
         SELECT organization_id FROM canceled LIMIT 1"
    )
}

/// What a webhook has to send no more, from some delivery on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rest {
    pub(crate) organization: OrganizationId,
    webhook: WebhookId,
    from: Uuid,
    at: Timestamp,
}

/// Where the first part of what a webhook still has to send ends.
pub(super) async fn first_bound(transaction: &Transaction, webhook: WebhookId) -> Result<Option<Uuid>, Failure> {
    bound(transaction, webhook, Uuid::nil()).await
}

async fn bound(transaction: &Transaction, webhook: WebhookId, from: Uuid) -> Result<Option<Uuid>, Failure> {
    let row = transaction.row(BOUND, &[&Id(webhook), &from, &PART]).await?;
    row.map(|row| id::<DeliveryId>(&row, "id").map(DeliveryId::uuid)).transpose()
}

/// Ends what a webhook still has to send. Nobody adds to it meanwhile: whoever calls this is alone with the organization.
pub(crate) async fn cancel_pending(
    transaction: &Transaction,
    organization: OrganizationId,
    webhook: WebhookId,
    at: Timestamp,
) -> Result<(), Failure> {
    let next = first_bound(transaction, webhook).await?;
    let before = next.unwrap_or(Uuid::max());
    transaction.rows(&locked(FIRST), &[&Id(webhook), &before, &Uuid::nil()]).await?;
    let canceled = transaction.row(&canceled(FIRST), &[&Id(webhook), &before, &Uuid::nil(), &Time(at)]).await?;
    if canceled.is_some() {
        transaction.concerns(organization);
    }
    if let Some(from) = next {
        transaction.leaves(Rest { organization, webhook, from, at });
    }
    Ok(())
}

/// All that a disabled webhook has to send no more, although nobody came to end it.
pub(crate) const fn whatever_is_left(organization: OrganizationId, webhook: WebhookId, at: Timestamp) -> Rest {
    Rest { organization, webhook, from: Uuid::nil(), at }
}

/// Ends a part of the rest, and answers what is left then. Nothing, if the webhook has been enabled meanwhile: then there was none.
pub(crate) async fn cancel_part(transaction: &Transaction, rest: Rest) -> Result<Option<Rest>, Failure> {
    let Rest { organization, webhook, from, at } = rest;
    let sql = "SELECT 1 FROM webhooks WHERE id = $1 AND is_enabled";
    if transaction.row(sql, &[&Id(webhook)]).await?.is_some() {
        return Ok(None);
    }
    let next = bound(transaction, webhook, from).await?;
    let before = next.unwrap_or(Uuid::max());
    transaction.rows(&locked(LATER), &[&Id(webhook), &before, &from]).await?;
    let canceled = transaction.row(&canceled(LATER), &[&Id(webhook), &before, &from, &Time(at)]).await?;
    if canceled.is_some() {
        transaction.concerns(organization);
    }
    Ok(next.map(|from| Rest { from, ..rest }))
}

/// Ends all of it at once.
pub(crate) async fn cancel_whatever_is_left(transaction: &Transaction, mut rest: Rest) -> Result<(), Failure> {
    while let Some(next) = cancel_part(transaction, rest).await? {
        rest = next;
    }
    Ok(())
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
