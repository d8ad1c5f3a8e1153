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
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{invitations, members};
use crate::row::{Id, Time, id, named, time};

fn read(row: &Row<'_>) -> rusqlite::Result<SignedIn> {
    let member = members::read(row)?;
    Ok(SignedIn {
        organization: Organization {
            id: member.organization_id,
            slug: named(row, "slug", |text| text.parse().ok())?,
            created_at: time(row, "organization_created_at")?,
        },
        member,
        session: Session {
            hash: TokenHash::from_bytes(row.get("hash")?),
            member_id: id(row, "member_id")?,
            created_at: time(row, "created_at")?,
            expires_at: time(row, "expires_at")?,
        },
    })
}

pub(super) fn begin(connection: &Connection, session: &Session, checked: Option<&PasswordHash>) -> rusqlite::Result<bool> {
    let at = Time(session.created_at);
    connection.execute("DELETE FROM sessions WHERE expires_at <= ?1", [&at])?;
    invitations::forget_expired(connection, session.created_at)?;
    let note = "UPDATE members SET last_signed_in_at = max(coalesce(last_signed_in_at, ?2), ?2) \
                WHERE id = ?1 AND (?3 IS NULL OR password = ?3)";
    if connection.execute(note, params![Id(session.member_id), at, checked.map(PasswordHash::as_str)])? == 0 {
        return Ok(false);
    }
    connection.execute(
        "DELETE FROM sessions WHERE hash IN \
         (SELECT hash FROM sessions WHERE member_id = ?1 ORDER BY created_at DESC, hash LIMIT -1 OFFSET ?2)",
        params![Id(session.member_id), MOST.saturating_sub(1)],
    )?;
    connection.execute(
        "INSERT INTO sessions (hash, member_id, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
        params![session.hash.bytes(), Id(session.member_id), at, Time(session.expires_at)],
    )?;
    Ok(true)
}

pub(super) fn signed_in(connection: &Connection, hash: TokenHash, at: Timestamp) -> rusqlite::Result<Option<SignedIn>> {
    connection
        .prepare_cached(
            "SELECT member.*, session.*, organization.slug, organization.created_at AS organization_created_at \
             FROM sessions AS session JOIN members AS member ON member.id = session.member_id \
             JOIN organizations AS organization ON organization.id = member.organization_id \
             WHERE session.hash = ?1 AND session.expires_at > ?2",
        )?
        .query_row(params![hash.bytes(), Time(at)], read)
        .optional()
}

pub(super) fn end(connection: &Connection, hash: TokenHash) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM sessions WHERE hash = ?1", [hash.bytes()]).map(drop)
}

pub(super) fn end_all(connection: &Connection, id: MemberId) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM sessions WHERE member_id = ?1", [Id(id)]).map(drop)
}

pub(super) fn end_others(connection: &Connection, id: MemberId, keep: TokenHash) -> rusqlite::Result<()> {
    let end = "DELETE FROM sessions WHERE member_id = ?1 AND hash <> ?2";
    connection.execute(end, params![Id(id), keep.bytes()]).map(drop)
}
