//! Claiming: a lease on a delivery and the note that its attempt started, in one transaction.

use jiff::Timestamp;
use preclinical_core::{
    attempt::ErrorKind,
    custom_header::CustomHeaders,
    delivery::{Claimed, DeliveryStatus, Lease},
    event::EventKind,
    id::DeliveryId,
    vault::Vault,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    row::{Id, Time, content, id, named},
    sealing::SealedSecrets,
};

const UNREADABLE: &str = "the webhook's secret cannot be read; set it again and redeliver";

const UNREADABLE_HEADERS: &str = "the webhook's headers cannot be read; set them again and redeliver";

const INTERRUPTED: &str = "the attempt was cut off before its end was recorded; whether the request arrived is unknown";

/// Claims what is due, oldest first, one delivery per lease.
pub(super) fn due(
    connection: &Connection,
    vault: &Vault,
    now: Timestamp,
    leases: &[Lease],
) -> rusqlite::Result<Vec<Claimed>> {
    let due: Vec<(DeliveryId, EventKind, bool)> = connection
        .prepare_cached(
            "SELECT id, kind, lease_token IS NOT NULL AS cut_off FROM deliveries \
             WHERE status = 'pending' AND due_at <= ?1 ORDER BY due_at LIMIT ?2",
        )?
        .query_map(params![Time(now), leases.len()], |row| {
            Ok((id(row, "id")?, named(row, "kind", EventKind::parse)?, row.get("cut_off")?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut claimed = Vec::with_capacity(due.len());
    for ((delivery, kind, cut_off), lease) in due.into_iter().zip(leases) {
        if cut_off {
            note_interruption(connection, delivery)?;
        }
        if cut_off && kind == EventKind::Test {
            end(connection, delivery, DeliveryStatus::Failed, now)?;
        } else {
            claimed.extend(claim(connection, vault, delivery, *lease, now)?);
        }
    }
    Ok(claimed)
}

/// Claims one pending delivery. `None` if its webhook is no more, and the delivery canceled, or if the webhook's secret or
/// headers cannot be read, and the delivery has failed: what cannot be signed is not sent, and must not hold up what can.
pub(crate) fn claim(
    connection: &Connection,
    vault: &Vault,
    delivery: DeliveryId,
    lease: Lease,
    now: Timestamp,
) -> rusqlite::Result<Option<Claimed>> {
    let claimed = connection
        .prepare_cached(
            "SELECT d.id, d.organization_id, d.webhook_id, d.attempt_count, d.failures, d.kind, w.url, e.content, \
             w.secret, w.rotated_secret, w.rotated_until, w.headers \
             FROM deliveries d JOIN webhooks w ON w.id = d.webhook_id JOIN events e ON e.id = d.event_id WHERE d.id = ?1",
        )?
        .query_row([Id(delivery)], |row| {
            let sealed = SealedSecrets::read(row, id(row, "webhook_id")?)?;
            Ok((read(row, lease)?, sealed, row.get::<_, Option<Vec<u8>>>("headers")?))
        })
        .optional()?;
    let Some((mut claimed, sealed, headers)) = claimed else {
        end(connection, delivery, DeliveryStatus::Canceled, now)?;
        return Ok(None);
    };
    let Ok(secrets) = sealed.open(vault, now) else {
        note_unreadable(connection, &claimed, UNREADABLE, now)?;
        return Ok(None);
    };
    let Ok(headers) = CustomHeaders::open(vault, claimed.webhook_id, headers.as_deref()) else {
        note_unreadable(connection, &claimed, UNREADABLE_HEADERS, now)?;
        return Ok(None);
    };
    (claimed.secrets, claimed.headers) = (secrets, headers);
    connection
        .prepare_cached("UPDATE deliveries SET attempt_count = ?2, lease_token = ?3, due_at = ?4, url = ?5 WHERE id = ?1")?
        .execute(params![Id(delivery), claimed.attempt, Id(lease.token), Time(lease.until), claimed.url])?;
    connection
        .prepare_cached("INSERT INTO attempts (delivery_id, number, started_at) VALUES (?1, ?2, ?3)")?
        .execute(params![Id(delivery), claimed.attempt, Time(now)])?;
    Ok(Some(claimed))
}

fn read(row: &Row<'_>, lease: Lease) -> rusqlite::Result<Claimed> {
    Ok(Claimed {
        delivery_id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        webhook_id: id(row, "webhook_id")?,
        attempt: row.get::<_, u32>("attempt_count")? + 1,
        failures: row.get("failures")?,
        lease,
        url: row.get("url")?,
        secrets: Vec::new(),
        headers: CustomHeaders::default(),
        event: named(row, "kind", EventKind::parse)?,
        content: content(row)?,
    })
}

fn note_unreadable(connection: &Connection, claimed: &Claimed, what: &str, now: Timestamp) -> rusqlite::Result<usize> {
    connection.execute(
        "INSERT INTO attempts (delivery_id, number, started_at, duration_ms, error_kind, error_message) VALUES (?1, ?2, ?3, 0, ?4, ?5)",
        params![Id(claimed.delivery_id), claimed.attempt, Time(now), ErrorKind::Blocked.as_str(), what],
    )?;
    connection.execute(
        "UPDATE deliveries SET attempt_count = ?2, failures = failures + 1 WHERE id = ?1",
        params![Id(claimed.delivery_id), claimed.attempt],
    )?;
    end(connection, claimed.delivery_id, DeliveryStatus::Failed, now)
}

/// Notes of an attempt that nobody will finish that nobody knows its end.
pub(super) fn note_interruption(connection: &Connection, delivery: DeliveryId) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE attempts SET error_kind = ?2, error_message = ?3 WHERE delivery_id = ?1 AND duration_ms IS NULL \
             AND error_kind IS NULL",
        )?
        .execute(params![Id(delivery), ErrorKind::Interrupted.as_str(), INTERRUPTED])
}

fn end(connection: &Connection, delivery: DeliveryId, status: DeliveryStatus, at: Timestamp) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE deliveries SET status = ?2, completed_at = ?3, due_at = NULL, lease_token = NULL WHERE id = ?1",
        )?
        .execute(params![Id(delivery), status.as_str(), Time(at)])
}
