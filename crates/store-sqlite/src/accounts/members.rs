//! Members, and the rule that an organization keeps an owner.

use preclinical_core::{
    id::{MemberId, OrganizationId},
    member::{Email, Member, Role},
    password::PasswordHash,
    port::{MemberError, Page},
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::invitations;
use crate::row::{Id, Time, id, maybe_time, named, time, unavailable};

/// True of a row of `members` if its organization has an owner without it.
const IS_SPARE: &str = "(members.role <> 'owner' OR EXISTS (SELECT 1 FROM members AS other \
     WHERE other.organization_id = members.organization_id AND other.role = 'owner' AND other.id <> members.id))";

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        email: named(row, "email", |text| text.parse().ok())?,
        role: named(row, "role", Role::parse)?,
        joined_at: time(row, "joined_at")?,
        last_signed_in_at: maybe_time(row, "last_signed_in_at")?,
    })
}

pub(super) fn insert(connection: &Connection, member: &Member, password: &PasswordHash) -> rusqlite::Result<()> {
    let insert = "INSERT INTO members (id, organization_id, email, role, password, joined_at, last_signed_in_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = params![
        Id(member.id),
        Id(member.organization_id),
        member.email.as_str(),
        member.role.as_str(),
        password.as_str(),
        Time(member.joined_at),
        member.last_signed_in_at.map(Time),
    ];
    connection.execute(insert, values).map(drop)
}

pub(super) fn by_email(connection: &Connection, email: &Email) -> rusqlite::Result<Option<(Member, PasswordHash)>> {
    connection
        .prepare_cached("SELECT * FROM members WHERE email = ?1")?
        .query_row([email.as_str()], |row| Ok((read(row)?, PasswordHash::from_stored(row.get("password")?))))
        .optional()
}

pub(super) fn list(
    connection: &Connection,
    organization: OrganizationId,
    page: Page,
) -> rusqlite::Result<(Vec<Member>, u64)> {
    let count = "SELECT count(*) FROM members WHERE organization_id = ?1";
    let total = connection.query_row(count, [Id(organization)], |row| row.get(0))?;
    let rows = connection
        .prepare_cached("SELECT * FROM members WHERE organization_id = ?1 ORDER BY joined_at, id LIMIT ?2 OFFSET ?3")?
        .query_map(params![Id(organization), page.limit, page.offset], read)?
        .collect::<rusqlite::Result<_>>()?;
    Ok((rows, total))
}

pub(super) fn change_role(
    connection: &Connection,
    organization: OrganizationId,
    id: MemberId,
    role: Role,
) -> Result<Member, MemberError> {
    let change = format!(
        "UPDATE members SET role = ?3 WHERE id = ?1 AND organization_id = ?2 AND (?3 = 'owner' OR {IS_SPARE}) RETURNING *"
    );
    let changed = connection.query_row(&change, params![Id(id), Id(organization), role.as_str()], read).optional();
    match changed.map_err(unavailable)? {
        Some(member) => {
            match role {
                Role::Owner => invitations::forget_setup(connection, organization),
                Role::Member | Role::Viewer => invitations::forget_made_by(connection, id),
            }
            .map_err(unavailable)?;
            Ok(member)
        }
        None => Err(refusal(connection, organization, id)),
    }
}

pub(super) fn remove(connection: &Connection, organization: OrganizationId, id: MemberId) -> Result<(), MemberError> {
    let remove = format!("DELETE FROM members WHERE id = ?1 AND organization_id = ?2 AND {IS_SPARE}");
    match connection.execute(&remove, params![Id(id), Id(organization)]).map_err(unavailable)? {
        0 => Err(refusal(connection, organization, id)),
        _ => Ok(()),
    }
}

/// Why nothing was done to that member.
fn refusal(connection: &Connection, organization: OrganizationId, id: MemberId) -> MemberError {
    let known = "SELECT EXISTS (SELECT 1 FROM members WHERE id = ?1 AND organization_id = ?2)";
    match connection.query_row(known, params![Id(id), Id(organization)], |row| row.get(0)).map_err(unavailable) {
        Ok(true) => MemberError::LastOwner,
        Ok(false) => MemberError::NotFound,
        Err(error) => error.into(),
    }
}

/// The member whose password it is now, if there is one.
pub(super) fn set_password(
    connection: &Connection,
    id: MemberId,
    password: &PasswordHash,
) -> rusqlite::Result<Option<Member>> {
    let change = "UPDATE members SET password = ?2 WHERE id = ?1 RETURNING *";
    connection.query_row(change, params![Id(id), password.as_str()], read).optional()
}
