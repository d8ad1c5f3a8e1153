//! Members, and the rule that an organization keeps an owner.

use preclinical_core::{
    id::{MemberId, OrganizationId},
    member::{Email, Member, Role},
    password::PasswordHash,
    port::{MemberError, Page},
};
use tokio_postgres::Row;

use super::invitations;
use crate::{
    failure::{Failure, unavailable},
    row::{Id, Time, get, id, maybe_time, named, number, time},
    transaction::Transaction,
};

/// True of a row of `members` if its organization has an owner without it. It stays true only for who is alone with the organization.
const IS_SPARE: &str = "(members.role <> 'owner' OR EXISTS (SELECT 1 FROM members AS other \
     WHERE other.organization_id = members.organization_id AND other.role = 'owner' AND other.id <> members.id))";

pub(super) fn read(row: &Row) -> Result<Member, Failure> {
    Ok(Member {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        email: named(row, "email", |text| text.parse().ok())?,
        role: named(row, "role", Role::parse)?,
        joined_at: time(row, "joined_at")?,
        last_signed_in_at: maybe_time(row, "last_signed_in_at")?,
    })
}

/// Answers `false`, and nothing is written, if there is one of that address, in whatever organization.
pub(super) async fn insert(transaction: &Transaction, member: &Member, password: &PasswordHash) -> Result<bool, Failure> {
    let sql = "INSERT INTO members (id, organization_id, email, role, password, joined_at, last_signed_in_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let inserted = transaction
        .run(
            sql,
            &[
                &Id(member.id),
                &Id(member.organization_id),
                &member.email.as_str(),
                &member.role.as_str(),
                &password.as_str(),
                &Time(member.joined_at),
                &member.last_signed_in_at.map(Time),
            ],
        )
        .await?;
    Ok(inserted > 0)
}

pub(super) async fn by_email(transaction: &Transaction, email: &Email) -> Result<Option<(Member, PasswordHash)>, Failure> {
    let row = transaction.row("SELECT * FROM members WHERE email = $1", &[&email.as_str()]).await?;
    row.map(|row| Ok((read(&row)?, PasswordHash::from_stored(get(&row, "password")?)))).transpose()
}

pub(super) async fn list(
    transaction: &Transaction,
    organization: OrganizationId,
    page: Page,
) -> Result<(Vec<Member>, u64), Failure> {
    let count = "SELECT count(*) AS total FROM members WHERE organization_id = $1";
    let total = transaction.row(count, &[&Id(organization)]).await?;
    let total = number(&total.ok_or_else(|| Failure::unreadable("total"))?, "total")?;
    let sql = "SELECT * FROM members WHERE organization_id = $1 ORDER BY joined_at, id LIMIT $2 OFFSET $3";
    let (limit, offset) = (i64::from(page.limit), i64::from(page.offset));
    let rows = transaction.rows(sql, &[&Id(organization), &limit, &offset]).await?;
    Ok((rows.iter().map(read).collect::<Result<_, _>>()?, total))
}

/// Whose member it is.
pub(super) async fn organization_of(transaction: &Transaction, member: MemberId) -> Result<Option<OrganizationId>, Failure> {
    let row = transaction.row("SELECT organization_id FROM members WHERE id = $1", &[&Id(member)]).await?;
    row.map(|row| id(&row, "organization_id")).transpose()
}

/// Nobody else begins a session of the member, or changes the member, before this transaction ends.
pub(super) async fn lock(transaction: &Transaction, member: MemberId) -> Result<(), Failure> {
    transaction.row("SELECT 1 FROM members WHERE id = $1 FOR NO KEY UPDATE", &[&Id(member)]).await.map(drop)
}

pub(super) async fn change_role(
    transaction: &Transaction,
    organization: OrganizationId,
    member: MemberId,
    role: Role,
) -> Result<Member, MemberError> {
    let change = async {
        let sql = format!(
            "UPDATE members SET role = $3 WHERE id = $1 AND organization_id = $2 AND ($3 = 'owner' OR {IS_SPARE}) RETURNING *"
        );
        let row = transaction.row(&sql, &[&Id(member), &Id(organization), &role.as_str()]).await?;
        let Some(row) = row else { return Ok(None) };
        match role {
            Role::Owner => invitations::forget_setup(transaction, organization).await?,
            Role::Member | Role::Viewer => invitations::forget_made_by(transaction, member).await?,
        }
        read(&row).map(Some)
    };
    match change.await.map_err(unavailable)? {
        Some(member) => Ok(member),
        None => Err(refusal(transaction, organization, member).await),
    }
}

pub(super) async fn remove(
    transaction: &Transaction,
    organization: OrganizationId,
    member: MemberId,
) -> Result<(), MemberError> {
    let sql = format!("DELETE FROM members WHERE id = $1 AND organization_id = $2 AND {IS_SPARE}");
    match transaction.run(&sql, &[&Id(member), &Id(organization)]).await.map_err(unavailable)? {
        0 => Err(refusal(transaction, organization, member).await),
        _ => Ok(()),
    }
}

/// Why nothing was done to that member.
async fn refusal(transaction: &Transaction, organization: OrganizationId, member: MemberId) -> MemberError {
    let sql = "SELECT 1 FROM members WHERE id = $1 AND organization_id = $2";
    match transaction.row(sql, &[&Id(member), &Id(organization)]).await.map_err(unavailable) {
        Ok(Some(_)) => MemberError::LastOwner,
        Ok(None) => MemberError::NotFound,
        Err(error) => error.into(),
    }
}

/// The member whose password it is now, if there is one.
pub(super) async fn set_password(
    transaction: &Transaction,
    member: MemberId,
    password: &PasswordHash,
) -> Result<Option<Member>, Failure> {
    let sql = "UPDATE members SET password = $2 WHERE id = $1 RETURNING *";
    let row = transaction.row(sql, &[&Id(member), &password.as_str()]).await?;
    row.as_ref().map(read).transpose()
}
