//! [`Idempotency`] on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use preclinical_core::{
    id::LeaseToken,
    idempotency::{Begun, CallId, KeptAnswer, NewCall, REMEMBERED},
    port::{Idempotency, StoreError},
    vault::{Purpose, Vault},
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use crate::{
    SqliteStore,
    row::{Id, Time, maybe_time, time, unavailable},
};

/// A remembered call.
struct Known {
    subject: Uuid,
    fingerprint: Vec<u8>,
    began_at: Timestamp,
    /// Until when it is somebody's to carry out; missing when it was given back.
    held_until: Option<Timestamp>,
    answer: Option<Vec<u8>>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        subject: Uuid::from_bytes(row.get("subject")?),
        fingerprint: row.get("fingerprint")?,
        began_at: time(row, "began_at")?,
        held_until: maybe_time(row, "held_until")?,
        answer: row.get("answer")?,
    })
}

/// Whose a sealed value of a call is: the first half of its id.
fn owner(id: CallId) -> Uuid {
    let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *id.bytes();
    Uuid::from_bytes(first)
}

fn begin(connection: &Connection, vault: &Vault, call: &NewCall) -> Result<Begun, StoreError> {
    let known = connection
        .prepare_cached("SELECT subject, fingerprint, began_at, held_until, answer FROM calls WHERE id = ?1")
        .and_then(|mut statement| statement.query_row([call.id.bytes()], read).optional())
        .map_err(unavailable)?;
    let known = known.filter(|known| call.at.duration_since(known.began_at) < REMEMBERED);
    let Some(known) = known else { return carry_out(connection, vault, call, None) };
    let fingerprint = vault.open(Purpose::CallFingerprint, owner(call.id), &known.fingerprint).map_err(damaged)?;
    let is_same = call.fingerprint.is(&fingerprint);
    match (known.answer, known.held_until) {
        (Some(_), _) | (None, Some(_)) if !is_same => Ok(Begun::Reused),
        (Some(sealed), _) => {
            let opened = vault.open(Purpose::CallAnswer, owner(call.id), &sealed).map_err(damaged)?;
            unpack(&opened).map(Begun::Answered).ok_or_else(|| StoreError::Corrupt("a kept answer".to_owned()))
        }
        (None, Some(until)) if until > call.at => Ok(Begun::InProgress),
        (None, _) if is_same => carry_out(connection, vault, call, Some((known.subject, known.began_at))),
        (None, _) => carry_out(connection, vault, call, None),
    }
}

/// Gives the call to whoever begins it, with the subject and the time of its first try if there was one.
fn carry_out(
    connection: &Connection,
    vault: &Vault,
    call: &NewCall,
    first: Option<(Uuid, Timestamp)>,
) -> Result<Begun, StoreError> {
    let (subject, began_at) = first.unwrap_or((call.subject, call.at));
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO calls (id, organization_id, subject, fingerprint, token, began_at, held_until) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                call.id.bytes(),
                Id(call.organization_id),
                subject.as_bytes(),
                vault.seal(Purpose::CallFingerprint, owner(call.id), call.fingerprint.bytes()),
                Id(call.token),
                Time(began_at),
                Time(call.until),
            ])
        })
        .map_err(unavailable)?;
    Ok(Begun::CarryOut { subject })
}

fn damaged(error: preclinical_core::vault::DoesNotOpen) -> StoreError {
    StoreError::Corrupt(format!("a remembered call: {error}"))
}

/// The status, the length of the headers, the headers as JSON, the body.
fn pack(answer: &KeptAnswer) -> Result<Vec<u8>, StoreError> {
    let headers = serde_json::to_vec(&answer.headers).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let length = u32::try_from(headers.len()).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok([&answer.status.to_be_bytes()[..], &length.to_be_bytes(), &headers, &answer.body].concat())
}

fn unpack(packed: &[u8]) -> Option<KeptAnswer> {
    let (status, packed) = packed.split_first_chunk::<2>()?;
    let (length, packed) = packed.split_first_chunk::<4>()?;
    let (headers, body) = packed.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    let headers = serde_json::from_slice(headers).ok()?;
    Some(KeptAnswer { status: u16::from_be_bytes(*status), headers, body: Bytes::copy_from_slice(body) })
}

#[async_trait]
impl Idempotency for SqliteStore {
    async fn begin_call(&self, call: NewCall) -> Result<Begun, StoreError> {
        let vault = Arc::clone(&self.vault);
        self.write(move |connection| begin(connection, &vault, &call)).await
    }

    async fn keep_answer(&self, id: CallId, token: LeaseToken, answer: KeptAnswer) -> Result<(), StoreError> {
        let sealed = self.vault.seal(Purpose::CallAnswer, owner(id), &pack(&answer)?);
        self.write(move |connection| {
            connection
                .prepare_cached("UPDATE calls SET answer = ?3, held_until = NULL WHERE id = ?1 AND token = ?2")
                .and_then(|mut statement| statement.execute(params![id.bytes(), Id(token), sealed]))
                .map(drop)
                .map_err(unavailable)
        })
        .await
    }

    async fn release_call(&self, id: CallId, token: LeaseToken) -> Result<(), StoreError> {
        self.write(move |connection| {
            connection
                .prepare_cached("UPDATE calls SET held_until = NULL WHERE id = ?1 AND token = ?2 AND answer IS NULL")
                .and_then(|mut statement| statement.execute(params![id.bytes(), Id(token)]))
                .map(drop)
                .map_err(unavailable)
        })
        .await
    }

    async fn forget_calls(&self, before: Timestamp, most: u32) -> Result<u64, StoreError> {
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE began_at < ?1 ORDER BY began_at LIMIT ?2)",
                )
                .and_then(|mut statement| statement.execute(params![Time(before), most]))
                .map(|rows| rows as u64)
                .map_err(unavailable)
        })
        .await
    }
}
