//! Recording: the end of an attempt and what follows from it, in one transaction.

use jiff::Timestamp;
use preclinical_core::{
    attempt::{Message, Outcome},
    delivery::DeliveryStatus,
    event::EventKind,
    id::{LeaseToken, OrganizationId, WebhookId},
    port::{AttemptRecord, RecordError, StoreError},
    retry::NextStep,
};
use rusqlite::{OptionalExtension, ToSql, params, types::Null};

use super::health;
use crate::{
    packing::{self, Packed},
    row::{Columns, Id, Micros, Time, unavailable},
    work::Work,
};

struct Current {
    organization: OrganizationId,
    webhook: WebhookId,
    kind: EventKind,
    status: DeliveryStatus,
    lease: Option<LeaseToken>,
    attempt_started_at: Option<Timestamp>,
}

/// Both messages as they are kept, made by whoever brings a record: the writer has enough to do.
pub(super) struct Kept {
    request: Option<KeptMessage>,
    response: Option<KeptMessage>,
}

struct KeptMessage {
    headers: Vec<u8>,
    body: Packed,
    /// What a receiver announces may be more than fits.
    size_bytes: i64,
    is_truncated: bool,
}

impl Kept {
    pub(super) fn of(record: &AttemptRecord) -> Result<Self, StoreError> {
        let kept = |message: &Option<Message>| message.as_ref().map(KeptMessage::of).transpose();
        Ok(Self { request: kept(&record.request)?, response: kept(&record.response)? })
    }
}

impl KeptMessage {
    fn of(message: &Message) -> Result<Self, StoreError> {
        let headers = serde_json::to_vec(&*message.headers).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let body = packing::pack(&message.body);
        let size_bytes = i64::try_from(message.size_bytes).unwrap_or(i64::MAX);
        Ok(Self { headers, body, size_bytes, is_truncated: message.truncated })
    }
}

/// Records the attempt if its lease still holds.
pub(super) fn record(work: &Work<'_>, record: &AttemptRecord, kept: &Kept) -> Result<(), RecordError> {
    let current = current(work, record).map_err(unavailable)?;
    let Some(current) = current.filter(|current| current.lease == Some(record.lease)) else {
        return Err(RecordError::LeaseLost);
    };
    let no_beginning = || StoreError::Corrupt("an attempt ends that has not begun".into());
    let started_at = current.attempt_started_at.ok_or_else(no_beginning)?;
    let exchange = keep(work, kept).map_err(unavailable)?;
    insert_attempt(work, record, started_at, exchange).map_err(unavailable)?;
    let (status, due) = next(record, current.status);
    let is_exhausted = (current.status, status) == (DeliveryStatus::Pending, DeliveryStatus::Failed);
    let is_test = current.kind == EventKind::Test;
    let change = work.next_change(current.organization).map_err(unavailable)?;
    move_on(work, record, (status, due, change), is_exhausted && !is_test).map_err(unavailable)?;
    if !is_test {
        health::note(work, record, current.webhook, is_exhausted).map_err(unavailable)?;
    }
    Ok(())
}

fn current(work: &Work<'_>, record: &AttemptRecord) -> rusqlite::Result<Option<Current>> {
    work.statement(
        "SELECT organization_id, webhook_id, kind, status, lease_token, attempt_started_at FROM deliveries WHERE id = ?1",
    )?
    .query_row([Id(record.delivery_id)], |row| {
        let mut columns = Columns::of(row);
        Ok(Current {
            organization: columns.id()?,
            webhook: columns.id()?,
            kind: columns.named(EventKind::parse)?,
            status: columns.named(DeliveryStatus::parse)?,
            lease: columns.maybe_id()?,
            attempt_started_at: columns.maybe_time()?,
        })
    })
    .optional()
}

fn insert_attempt(
    work: &Work<'_>,
    record: &AttemptRecord,
    started_at: Timestamp,
    exchange: Option<i64>,
) -> rusqlite::Result<usize> {
    let error = match &record.outcome {
        Outcome::Failed(error) => Some(error),
        Outcome::Answered { .. } => None,
    };
    work.statement(
            "INSERT INTO attempts (delivery_id, number, started_at, duration_ms, http_status, error_kind, error_message, resolve_us, \
             connect_us, tls_us, first_byte_us, exchange) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            Id(record.delivery_id),
            record.number,
            Time(started_at),
            i64::try_from(record.duration_ms).unwrap_or(i64::MAX),
            record.outcome.http_status(),
            error.map(|error| error.kind.as_str()),
            error.map(|error| error.message.as_str()),
            record.timing.resolve.map(Micros),
            record.timing.connect.map(Micros),
            record.timing.tls.map(Micros),
            record.timing.first_byte.map(Micros),
            exchange,
        ])
}

/// The number of the row that both messages are in; there is none if nothing was sent.
fn keep(work: &Work<'_>, kept: &Kept) -> rusqlite::Result<Option<i64>> {
    if kept.request.is_none() && kept.response.is_none() {
        return Ok(None);
    }
    let mut statement = work.statement(
        "INSERT INTO exchanges (request_headers, request_body, request_bytes, request_truncated, request_deflated, \
         response_headers, response_body, response_bytes, response_truncated, response_deflated) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let mut columns = 1..;
    for message in [&kept.request, &kept.response] {
        let values: [&dyn ToSql; 5] = match message {
            Some(kept) => {
                [&kept.headers, &&kept.body.bytes[..], &kept.size_bytes, &kept.is_truncated, &kept.body.is_deflated]
            }
            None => [&Null; 5],
        };
        for (value, column) in values.iter().zip(&mut columns) {
            statement.raw_bind_parameter(column, value)?;
        }
    }
    statement.raw_execute()?;
    Ok(Some(work.last_insert_rowid()))
}

/// What becomes of a delivery in that status, and when it is due.
fn next(record: &AttemptRecord, status: DeliveryStatus) -> (DeliveryStatus, Option<Timestamp>) {
    match (record.next, status) {
        (NextStep::Delivered, _) => (DeliveryStatus::Delivered, None),
        (NextStep::RetryAt(at), DeliveryStatus::Pending) => (DeliveryStatus::Pending, Some(at)),
        (NextStep::Exhausted | NextStep::Gone, DeliveryStatus::Pending) => (DeliveryStatus::Failed, None),
        (_, ended) => (ended, None),
    }
}

fn move_on(
    work: &Work<'_>,
    record: &AttemptRecord,
    (status, due, change): (DeliveryStatus, Option<Timestamp>, i64),
    is_missed: bool,
) -> rusqlite::Result<usize> {
    let completed_at = due.is_none().then_some(Time(record.ended_at));
    work.statement(
            "UPDATE OR FAIL deliveries SET status = ?2, due_at = ?3, completed_at = ?4, lease_token = NULL, lease_until = NULL, http_status = ?5, \
             duration_ms = ?6, failures = failures + ?7, missed = CASE ?2 WHEN 'canceled' THEN missed ELSE ?8 END, \
             change = ?9 WHERE id = ?1",
        )?
        .execute(params![
            Id(record.delivery_id),
            status.as_str(),
            due.map(Time),
            completed_at,
            record.outcome.http_status(),
            i64::try_from(record.duration_ms).unwrap_or(i64::MAX),
            !record.outcome.is_success(),
            is_missed,
            change,
        ])
}
