//! Webhooks: where an organization, or one of its agents, wants to be told.

use jiff::{SignedDuration, Timestamp};

use crate::{
    custom_header::{HeaderName, WantedHeader},
    health::Health,
    id::{AgentId, OrganizationId, RotationId, WebhookId},
    replay_on_recovery::ReplayOnRecovery,
    secret::SigningSecret,
    version::{Expected, Version},
};

/// The longest time for which a rotated secret can sign beside the new one.
pub const MAX_OVERLAP: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long it does unless somebody says otherwise.
pub const DEFAULT_OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// Why a webhook was disabled by us and not by its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledReason {
    /// Its receiver answered `410 Gone`.
    Gone,
    /// It did nothing but fail for longer than [`Patience`](crate::health::Patience) lasts.
    Failing,
}

impl DisabledReason {
    /// Every reason.
    pub const ALL: [Self; 2] = [Self::Gone, Self::Failing];

    /// The reason on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    /// The reason of that name; `None` for every other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// A webhook. One at organization level (`agent_id` is `None`), one per agent. Its secrets and the values of its headers are no part
/// of this value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the documented ones of the API")]
pub struct Webhook {
    pub id: WebhookId,
    pub organization_id: OrganizationId,
    pub agent_id: Option<AgentId>,
    pub url: String,
    /// Whether its requests are signed.
    pub has_secret: bool,
    /// Until when the secret before the current one signs, too.
    pub rotated_until: Option<Timestamp>,
    /// The names of its custom headers, in the order in which they are sent.
    pub header_names: Vec<HeaderName>,
    pub description: Option<String>,
    pub is_enabled: bool,
    /// Why it is not, if that was not its owner's doing.
    pub disabled_reason: Option<DisabledReason>,
    /// What of that which it missed is replayed by itself.
    pub replay_on_recovery: ReplayOnRecovery,
    /// What its deliveries leave on it.
    pub health: Health,
    /// Counts its changes, those of its secret and its headers' values too; not what its deliveries leave on it.
    pub version: Version,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A new secret that takes over from the current one.
#[derive(Debug, Clone)]
pub struct SecretRotation {
    /// Its id. Under the same one it is the same rotation, made again.
    pub id: RotationId,
    /// The new secret.
    pub secret: SigningSecret,
    /// For how long the current one still signs behind the new one, at most [`MAX_OVERLAP`].
    pub overlap: SignedDuration,
}

/// Changes to a webhook; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the fields are those of the webhook")]
pub struct WebhookChanges {
    /// Which versions of the webhook may be changed.
    pub expected: Expected,
    pub url: Option<String>,
    pub secret: Option<Option<SigningSecret>>,
    /// All custom headers that it has from now on. One without a value keeps the stored one.
    pub headers: Option<Vec<WantedHeader>>,
    pub description: Option<Option<String>>,
    pub is_enabled: Option<bool>,
    pub replay_on_recovery: Option<ReplayOnRecovery>,
}
