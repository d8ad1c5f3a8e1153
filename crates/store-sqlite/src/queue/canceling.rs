//! Canceling what is pending. Leases stay: who holds one may still record how the attempt ended.

use jiff::Timestamp;
use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    id::{DeliveryId, OrganizationId, WebhookId},
    port::CancelDeliveryError,
};
use rusqlite::params;

use super::claim::note_interruption;
use crate::{
    history,
    row::{Id, Time, id, unavailable},
    work::Work,
};

/// Deliveries that are looked up together.
const AT_ONCE: usize = 1000;

/// What of a webhook waits.
const WAITING: &str =
    "SELECT id FROM deliveries WHERE due_at IS NOT NULL AND organization_id = ?1 AND webhook_id = ?2 LIMIT ?3";

/// What of a webhook is under way. Of all webhooks together that is no more than there are places.
const UNDER_WAY: &str = "SELECT id FROM deliveries INDEXED BY deliveries_leased \
     WHERE lease_until IS NOT NULL AND organization_id = ?1 AND webhook_id = ?2 AND status = 'pending' LIMIT ?3";

/// Ends what a webhook still has to send. It is missed if we have disabled the webhook.
pub(crate) fn cancel_pending(work: &Work<'_>, webhook: WebhookId, at: Timestamp) -> rusqlite::Result<()> {
    let (organization, is_given_up): (Id<OrganizationId>, bool) = work
        .prepare_cached("SELECT organization_id, disabled_reason IS NOT NULL FROM webhooks WHERE id = ?1")?
        .query_row([Id(webhook)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for which in [WAITING, UNDER_WAY] {
        loop {
            let pending: Vec<DeliveryId> = work
                .prepare_cached(which)?
                .query_map(params![organization, Id(webhook), AT_ONCE], |row| id(row, "id"))?
                .collect::<rusqlite::Result<_>>()?;
            for delivery in &pending {
                cancel_one(work, (organization.0, *delivery), is_given_up, at)?;
            }
            if pending.len() < AT_ONCE {
                break;
            }
        }
    }
    Ok(())
}

fn cancel_one(
    work: &Work<'_>,
    (organization, delivery): (OrganizationId, DeliveryId),
    is_missed: bool,
    at: Timestamp,
) -> rusqlite::Result<usize> {
    let (status, change) = (DeliveryStatus::Canceled, work.next_change(organization)?);
    work.prepare_cached(
        "UPDATE deliveries SET status = ?2, completed_at = ?3, due_at = NULL, lease_until = NULL, missed = ?4 AND kind <> 'test', \
         change = ?5 WHERE id = ?1",
    )?
    .execute(params![Id(delivery), status.as_str(), Time(at), is_missed, change])
}

/// An index holds these alone.
const CANCELED_UNDER_WAY: &str = "SELECT id, organization_id FROM deliveries INDEXED BY deliveries_canceled_under_way \
     WHERE status = 'canceled' AND lease_token IS NOT NULL";

/// Lets go of what was canceled while a process that is dead had it under way: nobody will tell how that ended.
pub(crate) fn interrupt_canceled(work: &Work<'_>) -> rusqlite::Result<()> {
    let canceled: Vec<(DeliveryId, OrganizationId)> = work
        .prepare_cached(CANCELED_UNDER_WAY)?
        .query_map([], |row| Ok((id(row, "id")?, id(row, "organization_id")?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (delivery, organization) in canceled {
        note_interruption(work, delivery)?;
        let change = work.next_change(organization)?;
        work.prepare_cached("UPDATE deliveries SET lease_token = NULL, change = ?2 WHERE id = ?1")?
            .execute(params![Id(delivery), change])?;
    }
    Ok(())
}

/// Ends one delivery that is pending.
pub(super) fn cancel(
    work: &Work<'_>,
    organization: OrganizationId,
    id: DeliveryId,
    at: Timestamp,
) -> Result<Delivery, CancelDeliveryError> {
    let found = history::find_delivery(work, organization, id).map_err(unavailable)?;
    let delivery = found.ok_or(CancelDeliveryError::NotFound)?;
    if delivery.status != DeliveryStatus::Pending {
        return Err(CancelDeliveryError::AlreadyEnded(delivery.status));
    }
    let status = DeliveryStatus::Canceled;
    cancel_one(work, (organization, id), false, at).map_err(unavailable)?;
    Ok(Delivery { status, next_attempt_at: None, completed_at: Some(at), ..delivery })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::plans::{database, plan};

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
            let steps = plan(&database, which, &[]);
            assert!(steps[0].contains(read), "{steps:?}");
        }
    }
}
