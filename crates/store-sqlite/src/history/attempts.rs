//! Attempts of a delivery, with what was sent and what came back.

use preclinical_core::{
    attempt::{Attempt, AttemptError, ErrorKind, Message},
    id::DeliveryId,
    port::StoreError,
    timing::Timing,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    packing,
    row::{Id, maybe_micros, named, time, unavailable},
};

/// All attempts of the delivery, first to last.
pub(super) fn of(connection: &Connection, delivery: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
    let mut attempts = connection
        .prepare_cached("SELECT * FROM attempts WHERE delivery_id = ?1 ORDER BY number")
        .and_then(|mut statement| statement.query_map([Id(delivery)], read)?.collect::<rusqlite::Result<Vec<Attempt>>>())
        .map_err(unavailable)?;
    for attempt in &mut attempts {
        attempt.request = message(connection, delivery, attempt.number, "request")?;
        attempt.response = message(connection, delivery, attempt.number, "response")?;
    }
    Ok(attempts)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let error = match row.get::<_, Option<String>>("error_message")? {
        Some(message) => Some(AttemptError { kind: named(row, "error_kind", ErrorKind::parse)?, message }),
        None => None,
    };
    Ok(Attempt {
        number: row.get("number")?,
        started_at: time(row, "started_at")?,
        duration_ms: row.get("duration_ms")?,
        timing: Timing {
            resolve: maybe_micros(row, "resolve_us")?,
            connect: maybe_micros(row, "connect_us")?,
            tls: maybe_micros(row, "tls_us")?,
            first_byte: maybe_micros(row, "first_byte_us")?,
        },
        http_status: row.get("http_status")?,
        error,
        request: None,
        response: None,
    })
}

fn message(
    connection: &Connection,
    delivery: DeliveryId,
    number: u32,
    direction: &str,
) -> Result<Option<Message>, StoreError> {
    let stored = connection
        .prepare_cached(
            "SELECT headers, body, size_bytes, truncated, deflated FROM messages WHERE delivery_id = ?1 AND number = ?2 AND direction = ?3",
        )
        .and_then(|mut statement| {
            statement
                .query_row(params![Id(delivery), number, direction], |row| {
                    let (headers, body): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
                    Ok((headers, body, row.get(2)?, row.get(3)?, row.get(4)?))
                })
                .optional()
        })
        .map_err(unavailable)?;
    let Some((headers, body, size_bytes, truncated, is_deflated)) = stored else { return Ok(None) };
    let headers = serde_json::from_slice(&headers).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    // What is kept is no longer than what there was.
    let body = packing::unpack(body, is_deflated, size_bytes)?;
    Ok(Some(Message { headers, body: body.into(), size_bytes, truncated }))
}
