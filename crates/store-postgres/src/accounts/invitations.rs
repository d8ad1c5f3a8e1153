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
use tokio_postgres::Row;

use super::{members, sessions};
use crate::{
    administration,
    failure::{Failure, unavailable},
    row::{Id, Param, Time, bytes, get, id, maybe_id, named, time},
    transaction::Transaction,
};

const SET_UP: &str = "set_up";
const JOIN: &str = "join";
const RESET_PASSWORD: &str = "reset_password";

fn read(row: &Row) -> Result<Invitation, Failure> {
    let purpose = match get::<String>(row, "purpose")?.as_str() {
        JOIN => Purpose::Join(named(row, "role", Role::parse)?),
        RESET_PASSWORD => Purpose::ResetPassword(id(row, "member_id")?),
        _ => named(row, "purpose", |text| (text == SET_UP).then_some(Purpose::SetUp))?,
    };
    Ok(Invitation {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        hash: TokenHash::from_bytes(bytes(row, "hash")?),
        purpose,
        created_by: maybe_id(row, "created_by")?,
        created_at: time(row, "created_at")?,
        expires_at: time(row, "expires_at")?,
    })
}

pub(super) async fn invite(transaction: &Transaction, invitation: &Invitation) -> Result<(), InviteError> {
    match keep(transaction, invitation).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(InviteError::TooMany),
        Err(failure) if failure.is_orphan() => Err(InviteError::NoSuchMember),
        Err(failure) => Err(unavailable(failure).into()),
    }
}

/// Keeps an invitation in place of the earlier one that it makes void, unless its organization has no use for it.
pub(super) async fn keep(transaction: &Transaction, invitation: &Invitation) -> Result<bool, Failure> {
    let (purpose, role, member) = match invitation.purpose {
        Purpose::SetUp => (SET_UP, None, None),
        Purpose::Join(role) => (JOIN, Some(role.as_str()), None),
        Purpose::ResetPassword(member) => (RESET_PASSWORD, None, Some(Id(member))),
    };
    let organization = Id(invitation.organization_id);
    let sql = "DELETE FROM invitations WHERE organization_id = $1 AND purpose = $2 AND purpose <> 'join' \
         AND member_id IS NOT DISTINCT FROM $3";
    transaction.run(sql, &[&organization, &purpose, &member]).await?;
    let sql = "INSERT INTO invitations (id, organization_id, hash, purpose, role, member_id, created_at, expires_at, created_by) \
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $10 WHERE CASE $4 \
         WHEN 'set_up' THEN NOT EXISTS (SELECT 1 FROM members WHERE organization_id = $2 AND role = 'owner') \
         WHEN 'join' THEN $9 > (SELECT count(*) FROM invitations WHERE organization_id = $2 AND purpose = 'join' AND expires_at > $7) \
         ELSE true END";
    let hash: &[u8] = invitation.hash.bytes();
    let kept = transaction
        .run(
            sql,
            &[
                &Id(invitation.id),
                &organization,
                &hash,
                &purpose,
                &role,
                &member,
                &Time(invitation.created_at),
                &Time(invitation.expires_at),
                &i64::from(MOST_TO_JOIN),
                &invitation.created_by.map(Id),
            ],
        )
        .await?;
    forget_expired(transaction, invitation.created_at).await?;
    Ok(kept > 0)
}

/// Those of every organization. The last that a transaction does, so that nobody who waits for it holds what it needs.
pub(super) async fn forget_expired(transaction: &Transaction, at: Timestamp) -> Result<(), Failure> {
    let sql = "WITH expired AS (SELECT id FROM invitations WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED) \
         DELETE FROM invitations USING expired WHERE invitations.id = expired.id";
    transaction.run(sql, &[&Time(at)]).await.map(drop)
}

pub(super) async fn find_in_force(
    transaction: &Transaction,
    hash: TokenHash,
    at: Timestamp,
) -> Result<Option<Invitation>, Failure> {
    let hash: &[u8] = hash.bytes();
    let row = transaction.row("SELECT * FROM invitations WHERE hash = $1", &[&hash]).await?;
    Ok(row.as_ref().map(read).transpose()?.filter(|invitation| invitation.is_in_force(at)))
}

pub(super) async fn list(
    transaction: &Transaction,
    organization: OrganizationId,
    at: Timestamp,
    page: Page,
) -> Result<(Vec<Invitation>, u64), Failure> {
    let parameters: [&dyn Param; 2] = [&Id(organization), &Time(at)];
    administration::page(transaction, "invitations", "expires_at > $2", &parameters, page, read).await
}

pub(super) async fn withdraw(
    transaction: &Transaction,
    organization: OrganizationId,
    invitation: InvitationId,
) -> Result<bool, Failure> {
    let sql = "DELETE FROM invitations WHERE id = $1 AND organization_id = $2";
    Ok(transaction.run(sql, &[&Id(invitation), &Id(organization)]).await? > 0)
}

pub(super) async fn forget_setup(transaction: &Transaction, organization: OrganizationId) -> Result<(), Failure> {
    let sql = "DELETE FROM invitations WHERE organization_id = $1 AND purpose = 'set_up'";
    transaction.run(sql, &[&Id(organization)]).await.map(drop)
}

/// What a member made, who may no longer make any.
pub(super) async fn forget_made_by(transaction: &Transaction, member: MemberId) -> Result<(), Failure> {
    transaction.run("DELETE FROM invitations WHERE created_by = $1", &[&Id(member)]).await.map(drop)
}

/// What would give a member another password.
pub(super) async fn forget_resets_of(transaction: &Transaction, member: MemberId) -> Result<(), Failure> {
    transaction.run("DELETE FROM invitations WHERE member_id = $1", &[&Id(member)]).await.map(drop)
}

/// Takes an invitation out of the store, if it is in force, and is alone with its organization from then on: it is in nobody else's
/// hands, and back if the call fails.
async fn take(transaction: &Transaction, hash: TokenHash, at: Timestamp) -> Result<Option<Invitation>, Failure> {
    let hash: &[u8] = hash.bytes();
    let row = transaction.row("SELECT organization_id FROM invitations WHERE hash = $1", &[&hash]).await?;
    let Some(row) = row else { return Ok(None) };
    transaction.be_alone_with(id(&row, "organization_id")?).await?;
    let take = "DELETE FROM invitations WHERE hash = $1 AND expires_at > $2 RETURNING *";
    let row = transaction.row(take, &[&hash, &Time(at)]).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn accept(transaction: &Transaction, acceptance: &Acceptance) -> Result<Member, AcceptError> {
    let taken = take(transaction, acceptance.hash, acceptance.at).await.map_err(unavailable)?;
    let invitation = taken.ok_or(AcceptError::NotInForce)?;
    let role = match invitation.purpose {
        Purpose::SetUp => Role::Owner,
        Purpose::Join(role) => role,
        Purpose::ResetPassword(_) => return Err(AcceptError::NotInForce),
    };
    let member = Member {
        id: acceptance.member_id,
        organization_id: invitation.organization_id,
        email: acceptance.email.clone(),
        role,
        joined_at: acceptance.at,
        last_signed_in_at: None,
    };
    if !members::insert(transaction, &member, &acceptance.password).await.map_err(unavailable)? {
        return Err(AcceptError::EmailTaken);
    }
    if member.role == Role::Owner {
        forget_setup(transaction, member.organization_id).await.map_err(unavailable)?;
    }
    Ok(member)
}

pub(super) async fn accept_reset(
    transaction: &Transaction,
    hash: TokenHash,
    password: &PasswordHash,
    at: Timestamp,
) -> Result<Member, AcceptError> {
    let taken = take(transaction, hash, at).await.map_err(unavailable)?;
    let Some(Invitation { purpose: Purpose::ResetPassword(id), .. }) = taken else { return Err(AcceptError::NotInForce) };
    let member = members::set_password(transaction, id, password).await.map_err(unavailable)?;
    sessions::end_all(transaction, id).await.map_err(unavailable)?;
    member.ok_or(AcceptError::NotInForce)
}
