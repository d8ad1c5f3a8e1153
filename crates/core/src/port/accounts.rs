//! Who may look at the pages: members, their invitations and sessions.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Page, StoreError};
use crate::{
    id::{InvitationId, MemberId, OrganizationId},
    invitation::Invitation,
    member::{Email, Member, Role},
    organization::Organization,
    password::PasswordHash,
    session::Session,
    token::TokenHash,
};

/// Members, invitations and sessions.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Keeps an invitation to set the organization up, in place of every earlier one of that purpose. `false`, and nothing is kept,
    /// if the organization has an owner.
    async fn invite_first_member(&self, invitation: Invitation) -> Result<bool, StoreError>;

    /// Keeps an invitation, and forgets those that have expired by then. One that resets a password takes the place of every
    /// earlier one for that member.
    async fn invite(&self, invitation: Invitation) -> Result<(), InviteError>;

    /// The invitation with that hash, if it is in force at that time. It is unknown once it was accepted or withdrawn, and one to
    /// set up once the organization has an owner.
    async fn invitation(&self, hash: TokenHash, at: Timestamp) -> Result<Option<Invitation>, StoreError>;

    /// A page of the invitations that are in force at that time, newest first, and how many there are in all.
    async fn invitations(
        &self,
        organization: OrganizationId,
        at: Timestamp,
        page: Page,
    ) -> Result<(Vec<Invitation>, u64), StoreError>;

    /// Withdraws an invitation. `false` if there was none.
    async fn withdraw_invitation(&self, organization: OrganizationId, id: InvitationId) -> Result<bool, StoreError>;

    /// Accepts an invitation to set up or to join: the member is there and the invitation gone, in one transaction. However many
    /// calls race for an invitation, one succeeds; for the setup of an organization, too.
    async fn accept_invitation(&self, acceptance: Acceptance) -> Result<Member, AcceptError>;

    /// Accepts an invitation to reset a password: the new one is in force, the invitation gone, and every session of the member
    /// ended, in one transaction.
    async fn accept_password_reset(
        &self,
        hash: TokenHash,
        password: PasswordHash,
        at: Timestamp,
    ) -> Result<Member, AcceptError>;

    /// The member with that address, and the hash of the password.
    async fn member_by_email(&self, email: &Email) -> Result<Option<(Member, PasswordHash)>, StoreError>;

    /// A page of the members, the earliest first, and how many there are in all.
    async fn members(&self, organization: OrganizationId, page: Page) -> Result<(Vec<Member>, u64), StoreError>;

    /// Gives a member another role; the organization keeps an owner, however many calls race. Invitations that the member made as an
    /// owner are void afterwards.
    async fn change_role(&self, organization: OrganizationId, id: MemberId, role: Role) -> Result<Member, MemberError>;

    /// Removes a member with all sessions, password resets, and invitations that the member made; the organization keeps an owner,
    /// however many calls race.
    async fn remove_member(&self, organization: OrganizationId, id: MemberId) -> Result<(), MemberError>;

    /// Gives a member another password, ends all sessions but the one with that hash, and voids password resets.
    async fn change_password(&self, id: MemberId, password: PasswordHash, keep: TokenHash) -> Result<(), MemberError>;

    /// Keeps a session, notes on its member when it began, and forgets what has expired by then. The oldest of the member's
    /// sessions ends if there are too many. `false` if there is no such member, or if its password is by now another than the one that
    /// was checked.
    async fn begin_session(&self, session: Session, checked: Option<PasswordHash>) -> Result<bool, StoreError>;

    /// Who is signed in with the session of that hash, if it is in force at that time.
    async fn signed_in(&self, hash: TokenHash, at: Timestamp) -> Result<Option<SignedIn>, StoreError>;

    /// Ends a session; it is unknown to every call after this one.
    async fn end_session(&self, hash: TokenHash) -> Result<(), StoreError>;

    /// Ends every session of a member.
    async fn end_sessions(&self, id: MemberId) -> Result<(), StoreError>;
}

/// What becomes of an invitation when somebody accepts it.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are those of the invitation and of the member")]
pub struct Acceptance {
    pub hash: TokenHash,
    pub member_id: MemberId,
    pub email: Email,
    pub password: PasswordHash,
    pub at: Timestamp,
}

/// Who is signed in, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct SignedIn {
    pub member: Member,
    pub organization: Organization,
    pub session: Session,
}

/// Why an invitation was not kept.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum InviteError {
    #[error("no such member")]
    NoSuchMember,
    /// [`invitation::MOST_TO_JOIN`](crate::invitation::MOST_TO_JOIN) are in force, or one to set up has nothing to set up.
    #[error("the organization has as many invitations as it may have")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an invitation was not accepted.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum AcceptError {
    #[error("the invitation was used, withdrawn or has expired")]
    NotInForce,
    #[error("somebody signs in with that address already")]
    EmailTaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a member stayed as it was.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum MemberError {
    #[error("no such member")]
    NotFound,
    #[error("an organization keeps at least one owner")]
    LastOwner,
    #[error(transparent)]
    Store(#[from] StoreError),
}
