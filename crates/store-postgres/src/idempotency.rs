//! [`Idempotency`] on PostgreSQL.

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use preclinical_core::{
    id::LeaseToken,
    idempotency::{Begun, CallId, KeptAnswer, NewCall, REMEMBERED},
    port::{Idempotency, StoreError},
    vault::{Purpose, Vault},
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    PostgresStore,
    failure::{Failure, unavailable},
    row::{Id, Time, get, maybe_time, time},
    transaction::{Transaction, Turn},
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

fn read(row: &Row) -> Result<Known, Failure> {
    Ok(Known {
        subject: get(row, "subject")?,
        fingerprint: get(row, "fingerprint")?,
        began_at: time(row, "began_at")?,
        held_until: maybe_time(row, "held_until")?,
        answer: get(row, "answer")?,
    })
}

/// Whose a sealed value of a call is: the first half of its id.
fn owner(id: CallId) -> Uuid {
    let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *id.bytes();
    Uuid::from_bytes(first)
}

/// A call that nobody knows.
const FIRST: &str = "INSERT INTO calls (id, organization_id, subject, fingerprint, token, began_at, held_until, held_by) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";

/// One that is known, and locked.
const AGAIN: &str = "UPDATE calls SET organization_id = $2, subject = $3, fingerprint = $4, answer = NULL, token = $5, \
     began_at = $6, held_until = $7, held_by = $8 WHERE id = $1";

/// Who wants to carry a call out.
#[derive(Clone, Copy)]
struct Caller<'a> {
    vault: &'a Vault,
    /// In whose name calls are held.
    node: Option<Uuid>,
}

async fn begin(transaction: &Transaction, caller: Caller<'_>, call: &NewCall) -> Result<Begun, StoreError> {
    let new = (call.subject, call.at);
    if take(transaction, caller, call, FIRST, new).await.map_err(unavailable)? {
        return Ok(Begun::CarryOut { subject: call.subject });
    }
    let Some(known) = lock(transaction, call.id).await.map_err(unavailable)? else {
        // It was forgotten just now.
        transaction.lose();
        return Err(StoreError::Unavailable("a remembered call is being forgotten".to_owned()));
    };
    let first = match judge(caller.vault, call, known)? {
        Verdict::Begun(begun) => return Ok(begun),
        Verdict::Repeated { subject, began_at } => (subject, began_at),
        Verdict::New => new,
    };
    take(transaction, caller, call, AGAIN, first).await.map_err(unavailable)?;
    Ok(Begun::CarryOut { subject: first.0 })
}

/// What a call is in the light of the one that is remembered under its name.
enum Verdict {
    /// Not to be carried out.
    Begun(Begun),
    /// The same one, of which nobody knows the end.
    Repeated {
        subject: Uuid,
        began_at: Timestamp,
    },
    New,
}

fn judge(vault: &Vault, call: &NewCall, known: Known) -> Result<Verdict, StoreError> {
    if call.at.duration_since(known.began_at) >= REMEMBERED {
        return Ok(Verdict::New);
    }
    let fingerprint = vault.open(Purpose::CallFingerprint, owner(call.id), &known.fingerprint).map_err(damaged)?;
    let is_same = call.fingerprint.is(&fingerprint);
    Ok(match (known.answer, known.held_until) {
        (Some(_), _) | (None, Some(_)) if !is_same => Verdict::Begun(Begun::Reused),
        (Some(sealed), _) => {
            let opened = vault.open(Purpose::CallAnswer, owner(call.id), &sealed).map_err(damaged)?;
            let answer = unpack(&opened).ok_or_else(|| StoreError::Corrupt("a kept answer".to_owned()))?;
            Verdict::Begun(Begun::Answered(answer))
        }
        (None, Some(until)) if until > call.at => Verdict::Begun(Begun::InProgress),
        (None, _) if is_same => Verdict::Repeated { subject: known.subject, began_at: known.began_at },
        (None, _) => Verdict::New,
    })
}

/// Gives the call to whoever begins it, with the subject and the time of its first try. `false` if somebody else has it.
async fn take(
    transaction: &Transaction,
    caller: Caller<'_>,
    call: &NewCall,
    sql: &str,
    (subject, began_at): (Uuid, Timestamp),
) -> Result<bool, Failure> {
    let id: &[u8] = call.id.bytes();
    let fingerprint = caller.vault.seal(Purpose::CallFingerprint, owner(call.id), call.fingerprint.bytes());
    let taken = transaction
        .run(
            sql,
            &[
                &id,
                &Id(call.organization_id),
                &subject,
                &fingerprint,
                &Id(call.token),
                &Time(began_at),
                &Time(call.until),
                &caller.node,
            ],
        )
        .await?;
    Ok(taken > 0)
}

/// What is remembered under that name, and nobody else changes it before this transaction ends.
async fn lock(transaction: &Transaction, call: CallId) -> Result<Option<Known>, Failure> {
    let id: &[u8] = call.bytes();
    let sql = "SELECT subject, fingerprint, began_at, held_until, answer FROM calls WHERE id = $1 FOR UPDATE";
    transaction.row(sql, &[&id]).await?.as_ref().map(read).transpose()
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

async fn keep(transaction: &Transaction, call: CallId, token: LeaseToken, sealed: &[u8]) -> Result<(), Failure> {
    let id: &[u8] = call.bytes();
    let sql = "UPDATE calls SET answer = $3, held_until = NULL, held_by = NULL WHERE id = $1 AND token = $2";
    transaction.run(sql, &[&id, &Id(token), &sealed]).await.map(drop)
}

async fn release(transaction: &Transaction, call: CallId, token: LeaseToken) -> Result<(), Failure> {
    let id: &[u8] = call.bytes();
    let sql = "UPDATE calls SET held_until = NULL, held_by = NULL WHERE id = $1 AND token = $2 AND answer IS NULL";
    transaction.run(sql, &[&id, &Id(token)]).await.map(drop)
}

/// Calls that others begin or forget just now are passed over.
async fn forget(transaction: &Transaction, before: Timestamp, most: u32) -> Result<u64, Failure> {
    let sql = "WITH oldest AS (SELECT id FROM calls WHERE began_at < $1 ORDER BY began_at LIMIT $2 FOR UPDATE SKIP LOCKED) \
         DELETE FROM calls USING oldest WHERE calls.id = oldest.id";
    transaction.run(sql, &[&Time(before), &i64::from(most)]).await
}

#[async_trait]
impl Idempotency for PostgresStore {
    async fn begin_call(&self, call: NewCall) -> Result<Begun, StoreError> {
        let (caller, call) = (Caller { vault: &self.0.vault, node: self.0.node.name() }, &call);
        self.write(Turn::Free, |transaction| Box::pin(async move { begin(&transaction, caller, call).await })).await
    }

    async fn keep_answer(&self, id: CallId, token: LeaseToken, answer: KeptAnswer) -> Result<(), StoreError> {
        let sealed = &self.0.vault.seal(Purpose::CallAnswer, owner(id), &pack(&answer)?);
        self.write(Turn::Free, |transaction| {
            Box::pin(async move { keep(&transaction, id, token, sealed).await.map_err(unavailable) })
        })
        .await
    }

    async fn release_call(&self, id: CallId, token: LeaseToken) -> Result<(), StoreError> {
        self.write(Turn::Free, |transaction| {
            Box::pin(async move { release(&transaction, id, token).await.map_err(unavailable) })
        })
        .await
    }

    async fn forget_calls(&self, before: Timestamp, most: u32) -> Result<u64, StoreError> {
        self.write(Turn::Free, |transaction| {
            Box::pin(async move { forget(&transaction, before, most).await.map_err(unavailable) })
        })
        .await
    }
}
