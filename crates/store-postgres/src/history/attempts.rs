//! Attempts of a delivery, with what was sent and what came back.

use std::collections::HashMap;

use preclinical_core::{
    attempt::{Attempt, AttemptError, ErrorKind, Message},
    id::DeliveryId,
    request::Headers,
    timing::Timing,
};
use tokio_postgres::Row;

use crate::{
    failure::Failure,
    row::{Id, get, maybe_micros, maybe_number, named, number, time},
    transaction::Transaction,
};

/// All attempts of the delivery, first to last.
pub(super) async fn of(transaction: &Transaction, delivery: DeliveryId) -> Result<Vec<Attempt>, Failure> {
    let sql = "SELECT * FROM attempts WHERE delivery_id = $1 ORDER BY number";
    let rows = transaction.rows(sql, &[&Id(delivery)]).await?;
    let mut messages = messages(transaction, delivery).await?;
    let with_messages = |row| {
        let mut attempt = read(row)?;
        let mut of_direction = |direction: &str| messages.remove(&(attempt.number, direction.to_owned()));
        (attempt.request, attempt.response) = (of_direction("request"), of_direction("response"));
        Ok(attempt)
    };
    rows.iter().map(with_messages).collect()
}

fn read(row: &Row) -> Result<Attempt, Failure> {
    let error = match get::<Option<String>>(row, "error_message")? {
        Some(message) => Some(AttemptError { kind: named(row, "error_kind", ErrorKind::parse)?, message }),
        None => None,
    };
    Ok(Attempt {
        number: number(row, "number")?,
        started_at: time(row, "started_at")?,
        duration_ms: maybe_number(row, "duration_ms")?,
        timing: Timing {
            resolve: maybe_micros(row, "resolve_us")?,
            connect: maybe_micros(row, "connect_us")?,
            tls: maybe_micros(row, "tls_us")?,
            first_byte: maybe_micros(row, "first_byte_us")?,
        },
        http_status: maybe_number(row, "http_status")?,
        error,
        request: None,
        response: None,
    })
}

/// What was sent and came back in all attempts, by number and direction.
async fn messages(transaction: &Transaction, delivery: DeliveryId) -> Result<HashMap<(u32, String), Message>, Failure> {
    let sql = "SELECT * FROM messages WHERE delivery_id = $1";
    let rows = transaction.rows(sql, &[&Id(delivery)]).await?;
    rows.iter().map(|row| Ok(((number(row, "number")?, get(row, "direction")?), message(row)?))).collect()
}

fn message(row: &Row) -> Result<Message, Failure> {
    let headers: Headers =
        serde_json::from_slice(&get::<Vec<u8>>(row, "headers")?).map_err(|_| Failure::unreadable("headers"))?;
    Ok(Message {
        headers: headers.into(),
        body: get::<Vec<u8>>(row, "body")?.into(),
        size_bytes: number(row, "size_bytes")?,
        truncated: get(row, "truncated")?,
    })
}
