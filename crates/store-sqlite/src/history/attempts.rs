//! Attempts of a delivery, with what was sent and what came back.

use preclinical_core::{
    attempt::{Attempt, AttemptError, ErrorKind, Message},
    id::DeliveryId,
    port::StoreError,
    request::Headers,
    timing::Timing,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    packing,
    row::{Columns, Id, maybe_micros, named, time, unavailable},
};

/// All attempts of the delivery, first to last.
pub(super) fn of(connection: &Connection, delivery: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
    let mut attempts: Vec<(Attempt, Option<i64>)> = connection
        .prepare_cached("SELECT * FROM attempts WHERE delivery_id = ?1 ORDER BY number")
        .and_then(|mut statement| {
            statement.query_map([Id(delivery)], |row| Ok((read(row)?, row.get("exchange")?)))?.collect()
        })
        .map_err(unavailable)?;
    for (attempt, exchange) in &mut attempts {
        [attempt.request, attempt.response] = match *exchange {
            Some(exchange) => messages(connection, exchange)?,
            None => earlier_messages(connection, delivery, attempt.number)?,
        };
    }
    let mut attempts: Vec<Attempt> = attempts.into_iter().map(|(attempt, _)| attempt).collect();
    let under_way = under_way(connection, delivery).map_err(unavailable)?;
    attempts.extend(under_way.filter(|under_way| attempts.last().is_none_or(|last| last.number < under_way.number)));
    Ok(attempts)
}

/// The attempt that is under way, or that nobody has told the end of. Those that began before attempts had no row while they are have one.
fn under_way(connection: &Connection, delivery: DeliveryId) -> rusqlite::Result<Option<Attempt>> {
    connection
        .prepare_cached(
            "SELECT attempt_count, attempt_started_at FROM deliveries \
             WHERE id = ?1 AND lease_token IS NOT NULL AND attempt_started_at IS NOT NULL",
        )?
        .query_row([Id(delivery)], |row| {
            let mut columns = Columns::of(row);
            Ok(Attempt {
                number: columns.value()?,
                started_at: columns.time()?,
                duration_ms: None,
                timing: Timing::default(),
                http_status: None,
                error: None,
                request: None,
                response: None,
            })
        })
        .optional()
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

const EXCHANGE: &str = "SELECT request_headers, request_body, request_bytes, request_truncated, request_deflated, \
     response_headers, response_body, response_bytes, response_truncated, response_deflated FROM exchanges WHERE id = ?1";

/// What was sent and what came back.
type Messages = [Option<Message>; 2];

fn messages(connection: &Connection, exchange: i64) -> Result<Messages, StoreError> {
    let kept = connection
        .prepare_cached(EXCHANGE)
        .and_then(|mut statement| {
            let read = |row: &Row<'_>| {
                let mut columns = Columns::of(row);
                Ok([Kept::read(&mut columns)?, Kept::read(&mut columns)?])
            };
            statement.query_row([exchange], read).optional()
        })
        .map_err(unavailable)?;
    let [request, response] = kept.unwrap_or_default();
    Ok([request.map(Kept::unpack).transpose()?, response.map(Kept::unpack).transpose()?])
}

/// Those of an attempt that was recorded before there were exchanges.
fn earlier_messages(connection: &Connection, delivery: DeliveryId, number: u32) -> Result<Messages, StoreError> {
    let message = |direction: &str| {
        let kept = connection
            .prepare_cached(
                "SELECT headers, body, size_bytes, truncated, deflated FROM messages \
                 WHERE delivery_id = ?1 AND number = ?2 AND direction = ?3",
            )
            .and_then(|mut statement| {
                let parameters = params![Id(delivery), number, direction];
                statement.query_row(parameters, |row| Kept::read(&mut Columns::of(row))).optional()
            })
            .map_err(unavailable)?;
        kept.flatten().map(Kept::unpack).transpose()
    };
    Ok([message("request")?, message("response")?])
}

/// A message as its row has it.
struct Kept {
    headers: Vec<u8>,
    body: Vec<u8>,
    size_bytes: u64,
    is_truncated: bool,
    is_deflated: bool,
}

impl Kept {
    /// `None` if there was none.
    fn read(columns: &mut Columns<'_>) -> rusqlite::Result<Option<Self>> {
        let (headers, body) = (columns.value()?, columns.value()?);
        let (size_bytes, is_truncated, is_deflated): (Option<u64>, Option<bool>, Option<bool>) =
            (columns.value()?, columns.value()?, columns.value()?);
        let Some((headers, body)) = Option::zip(headers, body) else { return Ok(None) };
        Ok(Some(Self {
            headers,
            body,
            size_bytes: size_bytes.unwrap_or_default(),
            is_truncated: is_truncated.unwrap_or_default(),
            is_deflated: is_deflated.unwrap_or_default(),
        }))
    }

    fn unpack(self) -> Result<Message, StoreError> {
        let headers: Headers =
            serde_json::from_slice(&self.headers).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        // What is kept is no longer than what there was.
        let body = packing::unpack(self.body, self.is_deflated, self.size_bytes)?;
        Ok(Message { headers: headers.into(), body: body.into(), size_bytes: self.size_bytes, truncated: self.is_truncated })
    }
}
