//! Calls that their callers may repeat: named by a key, carried out once, answered the same way again.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::id::{LeaseToken, OrganizationId};

/// How long a call is remembered, from when it began.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// Names a call among all that are remembered: the hash of its organization, method, path and the caller's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallId([u8; 32]);

impl CallId {
    /// The id of a call to `method` and `path` under `key`.
    pub fn of(organization: OrganizationId, method: &str, path: &str, key: &str) -> Self {
        Self(hash(&[organization.uuid().as_bytes(), method.as_bytes(), path.as_bytes(), key.as_bytes()]))
    }

    /// The 32 bytes to store or to look up.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What a call asks for, to tell a repetition from another call: the hash of its body. It is stored sealed, because a short
/// secret in a body could be guessed from a readable hash.
#[derive(Clone, Copy)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a body.
    pub fn of(body: &[u8]) -> Self {
        Self(hash(&[body]))
    }

    /// The 32 bytes to seal.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether those bytes were sealed of the same body, in a time that does not tell how much of them is right.
    pub fn is(&self, opened: &[u8]) -> bool {
        self.0.ct_eq(opened).into()
    }
}

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for Fingerprint {}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprint([redacted])")
    }
}

/// Each part with its length before it, so that no two lists of parts look alike.
fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// A call that wants to be carried out.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct NewCall {
    pub id: CallId,
    pub organization_id: OrganizationId,
    pub fingerprint: Fingerprint,
    /// Proves who carries it out; a new one for every try.
    pub token: LeaseToken,
    /// The id of what the call creates, if this is its first try.
    pub subject: Uuid,
    pub at: Timestamp,
    /// Until when nobody else may carry it out, unless it ends before.
    pub until: Timestamp,
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The caller of the store carries it out now, and says how it ended.
    CarryOut {
        /// The id of what the call creates: the same on every try, so that a try after one whose end is unknown finds what
        /// that one created instead of creating it twice.
        subject: Uuid,
    },
    /// It was carried out; this was its answer.
    Answered(KeptAnswer),
    /// Somebody else carries it out.
    InProgress,
    /// Its name belongs to a call that asked for something else.
    Reused,
}

/// An answer as it was given. It is stored sealed: some show a secret once.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers that belong to it.
    pub headers: Vec<(String, String)>,
    /// The body, to the byte.
    pub body: Bytes,
}

impl std::fmt::Debug for KeptAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeptAnswer({}, [redacted])", self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_name_counts_and_none_runs_into_the_next() {
        let (ours, theirs) = (OrganizationId::from_uuid(Uuid::from_u128(1)), OrganizationId::from_uuid(Uuid::from_u128(2)));
        let one = CallId::of(ours, "POST", "/runs", "key");
        assert_eq!(one, CallId::of(ours, "POST", "/runs", "key"));
        for other in [
            CallId::of(theirs, "POST", "/runs", "key"),
            CallId::of(ours, "PUT", "/runs", "key"),
            CallId::of(ours, "POST", "/agents", "key"),
            CallId::of(ours, "POST", "/runs", "other"),
            CallId::of(ours, "POST", "/runsk", "ey"),
            CallId::of(ours, "POST/", "runs", "key"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_fingerprint_is_that_of_its_body_and_of_no_other() {
        let one = Fingerprint::of(b"{}");
        assert!(one.is(Fingerprint::of(b"{}").bytes()) && one == Fingerprint::of(b"{}"));
        assert!(!one.is(Fingerprint::of(b"{} ").bytes()) && one != Fingerprint::of(b"{} "));
        assert!(!one.is(&one.bytes()[..31]) && !one.is(b""));
    }

    #[test]
    fn what_may_hold_a_secret_is_never_printed() {
        let answer = KeptAnswer { status: 200, headers: Vec::new(), body: Bytes::from_static(b"canary") };
        assert!(!format!("{answer:?}").contains("canary"));
        assert_eq!(format!("{:?}", Fingerprint::of(b"canary")), "Fingerprint([redacted])");
    }
}
