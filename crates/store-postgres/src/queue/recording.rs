//! Recording: the ends of attempts and what follows from them, many in one transaction.

use std::collections::HashMap;

use preclinical_core::{
    attempt::{AttemptError, Message, Outcome},
    delivery::DeliveryStatus,
    event::EventKind,
    id::{DeliveryId, LeaseToken, OrganizationId, WebhookId},
    port::AttemptRecord,
    retry::NextStep,
    webhook::DisabledReason,
};
use uuid::Uuid;

use super::{
    canceling::first_bound,
    health::{self, Ended},
};
use crate::{
    failure::Failure,
    row::{Id, Time, id, maybe_id, micros, named},
    transaction::Transaction,
};

/// These, locked in the order of ids.
pub(super) const LOCKED: &str = "SELECT id, organization_id, webhook_id, kind, status, lease_token FROM deliveries WHERE id = ANY($1) \
     ORDER BY id FOR UPDATE";

/// How attempts ended. The ids are given twice, here and below: the second time they say which weeks to look at.
pub(super) const ENDED: &str = "UPDATE attempts SET duration_ms = ended.duration, http_status = ended.status, error_kind = ended.kind, \
     error_message = ended.message, resolve_us = ended.resolve, connect_us = ended.connect, tls_us = ended.tls, \
     first_byte_us = ended.first_byte \
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
       AS ended (id, number, duration, status, kind, message, resolve, connect, tls, first_byte) \
     WHERE attempts.delivery_id = ended.id AND attempts.number = ended.number AND attempts.delivery_id = ANY($1)";

/// What follows for their deliveries.
pub(super) const MOVED_ON: &str = "UPDATE deliveries SET status = ended.status, due_at = ended.due, completed_at = ended.completed, \
     lease_token = NULL, lease_node = NULL, http_status = ended.http_status, duration_ms = ended.duration, \
     failures = failures + ended.failed, \
     missed = CASE ended.status WHEN 'canceled' THEN deliveries.missed ELSE ended.missed END \
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS ended (id, status, due, completed, http_status, duration, failed, missed) \
     WHERE deliveries.id = ended.id AND deliveries.id = ANY($1)";

struct Current {
    organization: OrganizationId,
    webhook: WebhookId,
    kind: EventKind,
    status: DeliveryStatus,
    lease: Option<LeaseToken>,
}

/// What was found out about an attempt, as far as its lease still holds.
struct Accepted<'a> {
    index: usize,
    record: &'a AttemptRecord,
    current: Current,
}

impl Accepted<'_> {
    fn is_test(&self) -> bool {
        self.current.kind == EventKind::Test
    }

    /// What becomes of its delivery, and when that is due.
    fn next(&self) -> (DeliveryStatus, Option<Time>) {
        match (self.record.next, self.current.status) {
            (NextStep::Delivered, _) => (DeliveryStatus::Delivered, None),
            (NextStep::RetryAt(at), DeliveryStatus::Pending) => (DeliveryStatus::Pending, Some(Time(at))),
            (NextStep::Exhausted | NextStep::Gone, DeliveryStatus::Pending) => (DeliveryStatus::Failed, None),
            (_, ended) => (ended, None),
        }
    }

    fn ended(&self) -> Ended<'_> {
        let is_exhausted = self.current.status == DeliveryStatus::Pending && self.next().0 == DeliveryStatus::Failed;
        Ended { record: self.record, webhook: self.current.webhook, is_exhausted }
    }
}

/// What came of records that were to be written together.
pub(super) struct Recorded {
    /// Of each, whether its lease held.
    pub(super) held: Vec<bool>,
    /// Those that are one too many for their webhooks, and why.
    pub(super) verdicts: Vec<(usize, DisabledReason)>,
}

/// Records the attempts whose leases still hold. That some of them are to disable their webhooks is answered and not done.
pub(super) async fn record_all(transaction: &Transaction, records: &[&AttemptRecord]) -> Result<Recorded, Failure> {
    let mut known = lock(transaction, records).await?;
    let mut accepted = Vec::new();
    let held = records.iter().enumerate().map(|(index, record)| {
        // One that comes too late must not take the place of the one whose lease it is.
        let holds = known.get(&record.delivery_id).is_some_and(|current| current.lease == Some(record.lease));
        let current = if holds { known.remove(&record.delivery_id) } else { None };
        accepted.extend(current.map(|current| Accepted { index, record, current }));
        holds
    });
    let held: Vec<bool> = held.collect();
    if accepted.is_empty() {
        return Ok(Recorded { held, verdicts: Vec::new() });
    }
    finish_attempts(transaction, &accepted)?;
    keep_messages(transaction, &accepted)?;
    move_on(transaction, &accepted)?;
    let counted: Vec<_> = accepted.iter().filter(|one| !one.is_test()).collect();
    let ended: Vec<_> = counted.iter().map(|one| one.ended()).collect();
    let verdicts = health::note(transaction, &ended).await?;
    for one in &accepted {
        transaction.concerns(one.current.organization);
    }
    Ok(Recorded { held, verdicts: verdicts.into_iter().map(|(nth, reason)| (counted[nth].index, reason)).collect() })
}

/// Records an attempt that may disable its webhook, and disables it if it does. Answers whether the lease held.
pub(super) async fn record_alone(transaction: &Transaction, record: &AttemptRecord) -> Result<bool, Failure> {
    let sql = "SELECT organization_id, webhook_id FROM deliveries WHERE id = $1";
    let Some(row) = transaction.row(sql, &[&Id(record.delivery_id)]).await? else { return Ok(false) };
    let organization = id(&row, "organization_id")?;
    transaction.be_alone_with(organization).await?;
    let webhook = id::<WebhookId>(&row, "webhook_id")?;
    // Whatever this may change, in the order of ids and before the health of the webhook, as everybody locks them who records.
    let before = first_bound(transaction, webhook).await?.unwrap_or(Uuid::max());
    let sql = "SELECT 1 FROM deliveries WHERE id = $1 OR (webhook_id = $3 AND status = 'pending' AND (id < $2 OR kind = 'test')) \
         ORDER BY id FOR UPDATE";
    transaction.rows(sql, &[&Id(record.delivery_id), &before, &Id(webhook)]).await?;
    let Recorded { held, verdicts } = record_all(transaction, &[record]).await?;
    if let Some((_, reason)) = verdicts.first() {
        health::give_up(transaction, record, organization, webhook, *reason).await?;
    }
    Ok(held == [true])
}

async fn lock(transaction: &Transaction, records: &[&AttemptRecord]) -> Result<HashMap<DeliveryId, Current>, Failure> {
    let ids: Vec<_> = records.iter().map(|record| Id(record.delivery_id)).collect();
    let rows = transaction.rows(LOCKED, &[&ids]).await?;
    rows.iter()
        .map(|row| {
            let current = Current {
                organization: id(row, "organization_id")?,
                webhook: id(row, "webhook_id")?,
                kind: named(row, "kind", EventKind::parse)?,
                status: named(row, "status", DeliveryStatus::parse)?,
                lease: maybe_id(row, "lease_token")?,
            };
            Ok((id(row, "id")?, current))
        })
        .collect()
}

fn error(record: &AttemptRecord) -> Option<&AttemptError> {
    match &record.outcome {
        Outcome::Failed(error) => Some(error),
        Outcome::Answered { .. } => None,
    }
}

fn column<T>(accepted: &[Accepted<'_>], value: impl Fn(&AttemptRecord) -> T) -> Vec<T> {
    accepted.iter().map(|one| value(one.record)).collect()
}

fn duration(record: &AttemptRecord) -> i64 {
    i64::try_from(record.duration_ms).unwrap_or(i64::MAX)
}

fn finish_attempts(transaction: &Transaction, accepted: &[Accepted<'_>]) -> Result<(), Failure> {
    // Text holds no NUL here.
    let message = |error: &AttemptError| error.message.replace('\0', "\u{fffd}");
    transaction.run_along(
        ENDED,
        &[
            &column(accepted, |record| Id(record.delivery_id)),
            &column(accepted, |record| i64::from(record.number)),
            &column(accepted, duration),
            &column(accepted, |record| record.outcome.http_status().map(i64::from)),
            &column(accepted, |record| error(record).map(|error| error.kind.as_str().to_owned())),
            &column(accepted, |record| error(record).map(message)),
            &column(accepted, |record| record.timing.resolve.map(micros)),
            &column(accepted, |record| record.timing.connect.map(micros)),
            &column(accepted, |record| record.timing.tls.map(micros)),
            &column(accepted, |record| record.timing.first_byte.map(micros)),
        ],
    )
}

fn keep_messages(transaction: &Transaction, accepted: &[Accepted<'_>]) -> Result<(), Failure> {
    let messages: Vec<(&AttemptRecord, &str, &Message)> = accepted
        .iter()
        .flat_map(|Accepted { record, .. }| {
            let request = record.request.as_ref().map(|message| (*record, "request", message));
            request.into_iter().chain(record.response.as_ref().map(|message| (*record, "response", message)))
        })
        .collect();
    if messages.is_empty() {
        return Ok(());
    }
    let headers = messages.iter().map(|(_, _, message)| serde_json::to_vec(&*message.headers));
    let headers: Vec<Vec<u8>> = headers.collect::<Result<_, _>>().map_err(|_| Failure::unreadable("headers"))?;
    let ids: Vec<_> = messages.iter().map(|(record, ..)| Id(record.delivery_id)).collect();
    let numbers: Vec<_> = messages.iter().map(|(record, ..)| i64::from(record.number)).collect();
    let directions: Vec<_> = messages.iter().map(|(_, direction, _)| *direction).collect();
    let bodies: Vec<_> = messages.iter().map(|(_, _, message)| &message.body[..]).collect();
    let sizes: Vec<_> =
        messages.iter().map(|(_, _, message)| i64::try_from(message.size_bytes).unwrap_or(i64::MAX)).collect();
    let truncated: Vec<_> = messages.iter().map(|(_, _, message)| message.truncated).collect();
    let sql = "INSERT INTO messages (delivery_id, number, direction, headers, body, size_bytes, truncated) \
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)";
    transaction.run_along(sql, &[&ids, &numbers, &directions, &headers, &bodies, &sizes, &truncated])
}

fn move_on(transaction: &Transaction, accepted: &[Accepted<'_>]) -> Result<(), Failure> {
    let (statuses, dues): (Vec<_>, Vec<_>) =
        accepted.iter().map(Accepted::next).map(|(status, due)| (status.as_str(), due)).unzip();
    let missed: Vec<_> = accepted.iter().map(|one| one.ended().is_exhausted && !one.is_test()).collect();
    let completed: Vec<_> =
        accepted.iter().zip(&dues).map(|(one, due)| due.is_none().then_some(Time(one.record.ended_at))).collect();
    transaction.run_along(
        MOVED_ON,
        &[
            &column(accepted, |record| Id(record.delivery_id)),
            &statuses,
            &dues,
            &completed,
            &column(accepted, |record| record.outcome.http_status().map(i64::from)),
            &column(accepted, duration),
            &column(accepted, |record| i64::from(!record.outcome.is_success())),
            &missed,
        ],
    )
}
