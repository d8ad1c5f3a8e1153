//! Sessions: a member is signed in with one browser.

use jiff::{SignedDuration, Timestamp};

use crate::{id::MemberId, token::TokenHash};

/// How long somebody stays signed in.
pub const LASTS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How many sessions a member has at once.
pub const MOST: u32 = 32;

/// A session, known to its browser by a token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct Session {
    pub hash: TokenHash,
    pub member_id: MemberId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Session {
    /// A session that begins at that time.
    pub fn new(hash: TokenHash, member_id: MemberId, at: Timestamp) -> Self {
        let expires_at = at.checked_add(LASTS).unwrap_or(Timestamp::MAX);
        Self { hash, member_id, created_at: at, expires_at }
    }
}
