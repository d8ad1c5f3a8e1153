//! [`Accounts`] on PostgreSQL.
//!
//! Members and invitations change alone with their organization. Who ends several sessions of a member, or begins one, holds the
//! member's row until the commit. What has expired, of whatever organization, is forgotten last, and passed over where somebody else
//! holds it.

mod invitations;
mod members;
mod sessions;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    id::{InvitationId, MemberId, OrganizationId},
    invitation::{Invitation, Purpose},
    member::{Email, Member, Role},
    password::PasswordHash,
    port::{AcceptError, Acceptance, Accounts, InviteError, MemberError, Page, SignedIn, StoreError},
    session::Session,
    token::TokenHash,
};

use crate::{
    PostgresStore,
    failure::{Failure, unavailable},
    transaction::{Transaction, Turn},
};

/// Gives a member another password, if there is one.
async fn change_password(
    transaction: &Transaction,
    member: MemberId,
    password: &PasswordHash,
    keep: TokenHash,
) -> Result<Option<Member>, Failure> {
    let Some(organization) = members::organization_of(transaction, member).await? else { return Ok(None) };
    transaction.be_alone_with(organization).await?;
    let changed = members::set_password(transaction, member, password).await?;
    invitations::forget_resets_of(transaction, member).await?;
    sessions::end_others(transaction, member, keep).await?;
    Ok(changed)
}

#[async_trait]
impl Accounts for PostgresStore {
    async fn invite_first_member(&self, invitation: Invitation) -> Result<bool, StoreError> {
        let invitation = &Invitation { purpose: Purpose::SetUp, ..invitation };
        self.write(Turn::Alone(invitation.organization_id), |transaction| {
            Box::pin(async move { invitations::keep(&transaction, invitation).await.map_err(unavailable) })
        })
        .await
    }

    async fn invite(&self, invitation: Invitation) -> Result<(), InviteError> {
        let invitation = &invitation;
        self.write(Turn::Alone(invitation.organization_id), |transaction| {
            Box::pin(async move { invitations::invite(&transaction, invitation).await })
        })
        .await
    }

    async fn invitation(&self, hash: TokenHash, at: Timestamp) -> Result<Option<Invitation>, StoreError> {
        self.read(|transaction| Box::pin(async move { invitations::find_in_force(&transaction, hash, at).await })).await
    }

    async fn invitations(
        &self,
        organization: OrganizationId,
        at: Timestamp,
        page: Page,
    ) -> Result<(Vec<Invitation>, u64), StoreError> {
        self.read(|transaction| Box::pin(async move { invitations::list(&transaction, organization, at, page).await })).await
    }

    async fn withdraw_invitation(&self, organization: OrganizationId, id: InvitationId) -> Result<bool, StoreError> {
        self.write(Turn::Alone(organization), |transaction| {
            Box::pin(async move { invitations::withdraw(&transaction, organization, id).await.map_err(unavailable) })
        })
        .await
    }

    async fn accept_invitation(&self, acceptance: Acceptance) -> Result<Member, AcceptError> {
        let acceptance = &acceptance;
        self.write(Turn::Free, |transaction| Box::pin(async move { invitations::accept(&transaction, acceptance).await }))
            .await
    }

    async fn accept_password_reset(
        &self,
        hash: TokenHash,
        password: PasswordHash,
        at: Timestamp,
    ) -> Result<Member, AcceptError> {
        let password = &password;
        self.write(Turn::Free, |transaction| {
            Box::pin(async move { invitations::accept_reset(&transaction, hash, password, at).await })
        })
        .await
    }

    async fn member_by_email(&self, email: &Email) -> Result<Option<(Member, PasswordHash)>, StoreError> {
        self.read(|transaction| Box::pin(async move { members::by_email(&transaction, email).await })).await
    }

    async fn members(&self, organization: OrganizationId, page: Page) -> Result<(Vec<Member>, u64), StoreError> {
        self.read(|transaction| Box::pin(async move { members::list(&transaction, organization, page).await })).await
    }

    async fn change_role(&self, organization: OrganizationId, id: MemberId, role: Role) -> Result<Member, MemberError> {
        self.write(Turn::Alone(organization), |transaction| {
            Box::pin(async move { members::change_role(&transaction, organization, id, role).await })
        })
        .await
    }

    async fn remove_member(&self, organization: OrganizationId, id: MemberId) -> Result<(), MemberError> {
        self.write(Turn::Alone(organization), |transaction| {
            Box::pin(async move { members::remove(&transaction, organization, id).await })
        })
        .await
    }

    async fn change_password(&self, id: MemberId, password: PasswordHash, keep: TokenHash) -> Result<(), MemberError> {
        let password = &password;
        let changed = self.write(Turn::Free, |transaction| {
            Box::pin(async move { change_password(&transaction, id, password, keep).await.map_err(unavailable) })
        });
        let changed: Result<_, StoreError> = changed.await;
        changed?.map(drop).ok_or(MemberError::NotFound)
    }

    async fn begin_session(&self, session: Session, checked: Option<PasswordHash>) -> Result<bool, StoreError> {
        let (session, checked) = (&session, checked.as_ref());
        self.write(Turn::Free, |transaction| {
            Box::pin(async move { sessions::begin(&transaction, session, checked).await.map_err(unavailable) })
        })
        .await
    }

    async fn signed_in(&self, hash: TokenHash, at: Timestamp) -> Result<Option<SignedIn>, StoreError> {
        self.glance(|transaction| Box::pin(async move { sessions::signed_in(&transaction, hash, at).await })).await
    }

    async fn end_session(&self, hash: TokenHash) -> Result<(), StoreError> {
        self.write(Turn::Free, |transaction| {
            Box::pin(async move { sessions::end(&transaction, hash).await.map_err(unavailable) })
        })
        .await
    }

    async fn end_sessions(&self, id: MemberId) -> Result<(), StoreError> {
        self.write(Turn::Free, |transaction| {
            Box::pin(async move { sessions::end_all(&transaction, id).await.map_err(unavailable) })
        })
        .await
    }
}
