//! Identifiers. Each kind is a type of its own, so that a run's id cannot be passed where a webhook's is meant.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use uuid::Uuid;

use crate::chance::Chance;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id: a version 7 UUID, so that rows written together lie together.
            pub fn generate(now: Timestamp, chance: &dyn Chance) -> Self {
                Self(time_ordered(now, chance))
            }

            /// The lowest of all ids that are generated more than a millisecond after that time.
            pub fn after(time: Timestamp) -> Self {
                Self(Uuid::from_u128(u128::from(milliseconds(time) + 1) << 80))
            }

            /// The id behind a UUID that was stored or sent earlier.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The bytes of the UUID, in the order in which it is written.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}

id! {
    /// Names an organization.
    OrganizationId
    /// Names an agent.
    AgentId
    /// Names a test suite.
    TestSuiteId
    /// Names a test run.
    RunId
    /// Names an event: the fact that a run became final.
    EventId
    /// Names a webhook.
    WebhookId
    /// Names a delivery: one event on its way to one webhook.
    DeliveryId
    /// Names a bulk redelivery.
    RedeliveryJobId
    /// Names one change of a webhook's secret.
    RotationId
    /// Names a request to the API.
    RequestId
    /// Names an API key, never its text.
    ApiKeyId
    /// Names a member of an organization.
    MemberId
    /// Names an invitation, never its link.
    InvitationId
    /// Proves the right to make one attempt; a new one for every claim.
    LeaseToken
}

fn time_ordered(now: Timestamp, chance: &dyn Chance) -> Uuid {
    let mut random = [0_u8; 10];
    chance.fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(milliseconds(now), &random).into_uuid()
}

fn milliseconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or(0)
}
