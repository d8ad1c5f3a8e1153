//! Invitations, by the hashes of their tokens.
//!
//! One to set up is there only while the organization has no owner: it is written under that condition, and deleted with the
//! first owner.

use jiff::Timestamp;
use preclinical_core::{
    id::{InvitationId, MemberId, OrganizationId},
    invitation::{Invitation, MOST_TO_JOIN, Purpose},
    member::{Member, Role},
    password::PasswordHash,
    port::{AcceptError, Acceptance, InviteError, Page},
    token::TokenHash,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{members, sessions};
use crate::{
    administration,
    row::{Id, Time, id, is_orphan, is_taken, maybe_id, named, time, unavailable},
};

const SET_UP: &str = "set_up";
const JOIN: &str = "join";
const RESET_PASSWORD: &str = "reset_password";

fn read(row: &Row<'_>) -> rusqlite::Result<Invitation> {
    let purpose = match row.get::<_, String>("purpose")?.as_str() {
        JOIN => Purpose::Join(named(row, "role", Role::parse)?),
        RESET_PASSWORD => Purpose::ResetPassword(id(row, "member_id")?),
        _ => named(row, "purpose", |text| (text == SET_UP).then_some(Purpose::SetUp))?,
    };
    Ok(Invitation {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        hash: TokenHash::from_bytes(row.get("hash")?),
        purpose,
        created_by: maybe_id(row, "created_by")?,
        created_at: time(row, "created_at")?,
        expires_at: time(row, "expires_at")?,
    })
}

pub(super) fn invite(connection: &Connection, invitation: &Invitation) -> Result<(), InviteError> {
    match keep(connection, invitation) {
        Ok(true) => Ok(()),
        Ok(false) => Err(InviteError::TooMany),
        Err(error) if is_orphan(&error) => Err(InviteError::NoSuchMember),
        Err(error) => Err(unavailable(error).into()),
    }
}

/// Keeps an invitation in place of the earlier one that it makes void, unless its organization has no use for it.
pub(super) fn keep(connection: &Connection, invitation: &Invitation) -> rusqlite::Result<bool> {
    forget_expired(connection, invitation.created_at)?;
    let (purpose, role, member) = match invitation.purpose {
        Purpose::SetUp => (SET_UP, None, None),
        Purpose::Join(role) => (JOIN, Some(role.as_str()), None),
        Purpose::ResetPassword(member) => (RESET_PASSWORD, None, Some(Id(member))),
    };
    connection.execute(
        "DELETE FROM invitations WHERE organization_id = ?1 AND purpose = ?2 AND purpose <> 'join' AND member_id IS ?3",
        params![Id(invitation.organization_id), purpose, member],
    )?;
    let kept = connection.execute(
        "INSERT INTO invitations (id, organization_id, hash, purpose, role, member_id, created_at, expires_at, created_by) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?10 WHERE CASE ?4 \
         WHEN 'set_up' THEN NOT EXISTS (SELECT 1 FROM members WHERE organization_id = ?2 AND role = 'owner') \
         WHEN 'join' THEN ?9 > (SELECT count(*) FROM invitations WHERE organization_id = ?2 AND purpose = 'join') \
         ELSE true END",
        params![
            Id(invitation.id),
            Id(invitation.organization_id),
            invitation.hash.bytes(),
            purpose,
            role,
            member,
            Time(invitation.created_at),
            Time(invitation.expires_at),
            MOST_TO_JOIN,
            invitation.created_by.map(Id),
        ],
    )?;
    Ok(kept > 0)
}

pub(super) fn forget_expired(connection: &Connection, at: Timestamp) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM invitations WHERE expires_at <= ?1", [Time(at)]).map(drop)
}

pub(super) fn find_in_force(
    connection: &Connection,
    hash: TokenHash,
    at: Timestamp,
) -> rusqlite::Result<Option<Invitation>> {
    let find = "SELECT * FROM invitations WHERE hash = ?1";
    let invitation = connection.prepare_cached(find)?.query_row([hash.bytes()], read).optional()?;
    Ok(invitation.filter(|invitation| invitation.is_in_force(at)))
}

pub(super) fn list(
    connection: &Connection,
    organization: OrganizationId,
    at: Timestamp,
    page: Page,
) -> rusqlite::Result<(Vec<Invitation>, u64)> {
    let parameters: [(&str, &dyn rusqlite::ToSql); 2] = [(":organization", &Id(organization)), (":at", &Time(at))];
    administration::page(connection, "invitations", "expires_at > :at", &parameters, page, read)
}

pub(super) fn withdraw(connection: &Connection, organization: OrganizationId, id: InvitationId) -> rusqlite::Result<bool> {
    let withdraw = "DELETE FROM invitations WHERE id = ?1 AND organization_id = ?2";
    Ok(connection.execute(withdraw, params![Id(id), Id(organization)])? > 0)
}

pub(super) fn forget_setup(connection: &Connection, organization: OrganizationId) -> rusqlite::Result<()> {
    let forget = "DELETE FROM invitations WHERE organization_id = ?1 AND purpose = 'set_up'";
    connection.execute(forget, [Id(organization)]).map(drop)
}

/// What a member made, who may no longer make any.
pub(super) fn forget_made_by(connection: &Connection, member: MemberId) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM invitations WHERE created_by = ?1", [Id(member)]).map(drop)
}

/// What would give a member another password.
pub(super) fn forget_resets_of(connection: &Connection, member: MemberId) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM invitations WHERE member_id = ?1", [Id(member)]).map(drop)
}

/// Takes an invitation out of the store, if it is in force: it is in nobody else's hands, and back if the call fails.
fn take(connection: &Connection, hash: TokenHash, at: Timestamp) -> Result<Invitation, AcceptError> {
    let take = "DELETE FROM invitations WHERE hash = ?1 AND expires_at > ?2 RETURNING *";
    let taken = connection.query_row(take, params![hash.bytes(), Time(at)], read).optional().map_err(unavailable)?;
    taken.ok_or(AcceptError::NotInForce)
}

pub(super) fn accept(connection: &Connection, acceptance: Acceptance) -> Result<Member, AcceptError> {
    let invitation = take(connection, acceptance.hash, acceptance.at)?;
    let role = match invitation.purpose {
        Purpose::SetUp => Role::Owner,
        Purpose::Join(role) => role,
        Purpose::ResetPassword(_) => return Err(AcceptError::NotInForce),
    };
    let member = Member {
        id: acceptance.member_id,
        organization_id: invitation.organization_id,
        email: acceptance.email,
        role,
        joined_at: acceptance.at,
        last_signed_in_at: None,
    };
    members::insert(connection, &member, &acceptance.password).map_err(|error| match error {
        error if is_taken(&error) => AcceptError::EmailTaken,
        error => unavailable(error).into(),
    })?;
    if member.role == Role::Owner {
        forget_setup(connection, member.organization_id).map_err(unavailable)?;
    }
    Ok(member)
}

pub(super) fn accept_reset(
    connection: &Connection,
    hash: TokenHash,
    password: &PasswordHash,
    at: Timestamp,
) -> Result<Member, AcceptError> {
    let Purpose::ResetPassword(id) = take(connection, hash, at)?.purpose else { return Err(AcceptError::NotInForce) };
    let member = members::set_password(connection, id, password).map_err(unavailable)?;
    sessions::end_all(connection, id).map_err(unavailable)?;
    member.ok_or(AcceptError::NotInForce)
}
