//! [`Accounts`] on SQLite.

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

use crate::{SqliteStore, row::unavailable};

#[async_trait]
impl Accounts for SqliteStore {
    async fn invite_first_member(&self, invitation: Invitation) -> Result<bool, StoreError> {
        let invitation = Invitation { purpose: Purpose::SetUp, ..invitation };
        self.write(move |connection| invitations::keep(connection, &invitation).map_err(unavailable)).await
    }

    async fn invite(&self, invitation: Invitation) -> Result<(), InviteError> {
        self.write(move |connection| invitations::invite(connection, &invitation)).await
    }

    async fn invitation(&self, hash: TokenHash, at: Timestamp) -> Result<Option<Invitation>, StoreError> {
        self.read(move |connection| invitations::find_in_force(connection, hash, at).map_err(unavailable)).await
    }

    async fn invitations(
        &self,
        organization: OrganizationId,
        at: Timestamp,
        page: Page,
    ) -> Result<(Vec<Invitation>, u64), StoreError> {
        self.read(move |connection| invitations::list(connection, organization, at, page).map_err(unavailable)).await
    }

    async fn withdraw_invitation(&self, organization: OrganizationId, id: InvitationId) -> Result<bool, StoreError> {
        self.write(move |connection| invitations::withdraw(connection, organization, id).map_err(unavailable)).await
    }

    async fn accept_invitation(&self, acceptance: Acceptance) -> Result<Member, AcceptError> {
        self.write(move |connection| invitations::accept(connection, acceptance.clone())).await
    }

    async fn accept_password_reset(
        &self,
        hash: TokenHash,
        password: PasswordHash,
        at: Timestamp,
    ) -> Result<Member, AcceptError> {
        self.write(move |connection| invitations::accept_reset(connection, hash, &password, at)).await
    }

    async fn member_by_email(&self, email: &Email) -> Result<Option<(Member, PasswordHash)>, StoreError> {
        let email = email.clone();
        self.read(move |connection| members::by_email(connection, &email).map_err(unavailable)).await
    }

    async fn members(&self, organization: OrganizationId, page: Page) -> Result<(Vec<Member>, u64), StoreError> {
        self.read(move |connection| members::list(connection, organization, page).map_err(unavailable)).await
    }

    async fn change_role(&self, organization: OrganizationId, id: MemberId, role: Role) -> Result<Member, MemberError> {
        self.write(move |connection| members::change_role(connection, organization, id, role)).await
    }

    async fn remove_member(&self, organization: OrganizationId, id: MemberId) -> Result<(), MemberError> {
        self.write(move |connection| members::remove(connection, organization, id)).await
    }

    async fn change_password(&self, id: MemberId, password: PasswordHash, keep: TokenHash) -> Result<(), MemberError> {
        self.write(move |connection| {
            members::set_password(connection, id, &password).map_err(unavailable)?.ok_or(MemberError::NotFound)?;
            invitations::forget_resets_of(connection, id).map_err(unavailable)?;
            sessions::end_others(connection, id, keep).map_err(unavailable).map_err(MemberError::from)
        })
        .await
    }

    async fn begin_session(&self, session: Session, checked: Option<PasswordHash>) -> Result<bool, StoreError> {
        self.write(move |connection| sessions::begin(connection, &session, checked.as_ref()).map_err(unavailable)).await
    }

    async fn signed_in(&self, hash: TokenHash, at: Timestamp) -> Result<Option<SignedIn>, StoreError> {
        self.read(move |connection| sessions::signed_in(connection, hash, at).map_err(unavailable)).await
    }

    async fn end_session(&self, hash: TokenHash) -> Result<(), StoreError> {
        self.write(move |connection| sessions::end(connection, hash).map_err(unavailable)).await
    }

    async fn end_sessions(&self, id: MemberId) -> Result<(), StoreError> {
        self.write(move |connection| sessions::end_all(connection, id).map_err(unavailable)).await
    }
}
