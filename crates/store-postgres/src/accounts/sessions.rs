//! Sessions, by the hashes of their tokens.

use jiff::Timestamp;
use preclinical_core::{
    id::MemberId,
    organization::Organization,
    password::PasswordHash,
    port::SignedIn,
    session::{MOST, Session},
    token::TokenHash,
};
use tokio_postgres::Row;

use super::{invitations, members};
use crate::{
    failure::Failure,
    row::{Id, Time, bytes, id, named, time},
    transaction::Transaction,
};

fn read(row: &Row) -> Result<SignedIn, Failure> {
    let member = members::read(row)?;
    Ok(SignedIn {
        organization: Organization {
            id: member.organization_id,
            slug: named(row, "slug", |text| text.parse().ok())?,
            created_at: time(row, "organization_created_at")?,
        },
        member,
        session: Session {
            hash: TokenHash::from_bytes(bytes(row, "hash")?),
            member_id: id(row, "member_id")?,
            created_at: time(row, "created_at")?,
            expires_at: time(row, "expires_at")?,
        },
    })
}

pub(super) async fn begin(
    transaction: &Transaction,
    session: &Session,
    checked: Option<&PasswordHash>,
) -> Result<bool, Failure> {
    let (member, at) = (Id(session.member_id), Time(session.created_at));
    let note = "UPDATE members SET last_signed_in_at = greatest(last_signed_in_at, $2) \
                WHERE id = $1 AND ($3 IS NULL OR password = $3)";
    let has_begun = transaction.run(note, &[&member, &at, &checked.map(PasswordHash::as_str)]).await? > 0;
    if has_begun {
        let sql = "DELETE FROM sessions WHERE hash IN \
             (SELECT hash FROM sessions WHERE member_id = $1 ORDER BY created_at DESC, hash OFFSET $2)";
        transaction.run(sql, &[&member, &i64::from(MOST.saturating_sub(1))]).await?;
        let sql = "INSERT INTO sessions (hash, member_id, created_at, expires_at) VALUES ($1, $2, $3, $4)";
        let hash: &[u8] = session.hash.bytes();
        transaction.run(sql, &[&hash, &member, &at, &Time(session.expires_at)]).await?;
    }
    forget_expired(transaction, session.created_at).await?;
    invitations::forget_expired(transaction, session.created_at).await?;
    Ok(has_begun)
}

/// See [`invitations::forget_expired`].
async fn forget_expired(transaction: &Transaction, at: Timestamp) -> Result<(), Failure> {
    let sql = "WITH expired AS (SELECT hash FROM sessions WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED) \
         DELETE FROM sessions USING expired WHERE sessions.hash = expired.hash";
    transaction.run(sql, &[&Time(at)]).await.map(drop)
}

pub(super) async fn signed_in(
    transaction: &Transaction,
    hash: TokenHash,
    at: Timestamp,
) -> Result<Option<SignedIn>, Failure> {
    let sql = "SELECT member.*, session.*, organization.slug, organization.created_at AS organization_created_at \
         FROM sessions AS session JOIN members AS member ON member.id = session.member_id \
         JOIN organizations AS organization ON organization.id = member.organization_id \
         WHERE session.hash = $1 AND session.expires_at > $2";
    let hash: &[u8] = hash.bytes();
    let row = transaction.row(sql, &[&hash, &Time(at)]).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn end(transaction: &Transaction, hash: TokenHash) -> Result<(), Failure> {
    let hash: &[u8] = hash.bytes();
    transaction.run("DELETE FROM sessions WHERE hash = $1", &[&hash]).await.map(drop)
}

pub(super) async fn end_all(transaction: &Transaction, member: MemberId) -> Result<(), Failure> {
    members::lock(transaction, member).await?;
    transaction.run("DELETE FROM sessions WHERE member_id = $1", &[&Id(member)]).await.map(drop)
}

/// The member's row is locked already: the password was changed.
pub(super) async fn end_others(transaction: &Transaction, member: MemberId, keep: TokenHash) -> Result<(), Failure> {
    let keep: &[u8] = keep.bytes();
    transaction.run("DELETE FROM sessions WHERE member_id = $1 AND hash <> $2", &[&Id(member), &keep]).await.map(drop)
}
