//! Invitations: links that make somebody a member, or give a member a new password. Each works once.

use jiff::{SignedDuration, Timestamp};

use crate::{
    id::{InvitationId, MemberId, OrganizationId},
    member::Role,
    token::TokenHash,
};

/// How long an invitation is good for.
pub const VALID_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How many invitations to join an organization are in force at once.
pub const MOST_TO_JOIN: u32 = 100;

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct Invitation {
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    pub hash: TokenHash,
    pub purpose: Purpose,
    /// The member who made it, if not the machine's administrator did. It is void when that member leaves or is no owner any more.
    pub created_by: Option<MemberId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What an invitation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody becomes the first owner of the organization.
    SetUp,
    /// Somebody becomes a member in that role.
    Join(Role),
    /// That member gets a new password.
    ResetPassword(MemberId),
}

impl Invitation {
    /// An invitation from that time on, known by the hash of its token.
    pub fn new(id: InvitationId, organization_id: OrganizationId, hash: TokenHash, purpose: Purpose, at: Timestamp) -> Self {
        let expires_at = at.checked_add(VALID_FOR).unwrap_or(Timestamp::MAX);
        Self { id, organization_id, hash, purpose, created_by: None, created_at: at, expires_at }
    }

    /// The same, made by a member.
    #[must_use]
    pub fn by(self, member: MemberId) -> Self {
        Self { created_by: Some(member), ..self }
    }

    /// Whether it still opens anything at that time.
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        at < self.expires_at
    }
}
