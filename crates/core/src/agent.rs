//! Agents: the AI agents whose test runs are reported.

use jiff::Timestamp;

use crate::{
    id::{AgentId, OrganizationId},
    version::{Expected, Version},
};

/// Where an agent runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the variants are the providers' own names")]
pub enum Provider {
    Vapi,
    Livekit,
    Pipecat,
    Openai,
    Retell,
    Elevenlabs,
    Browser,
}

impl Provider {
    /// Every provider, in the order in which errors list them.
    pub const ALL: [Self; 7] =
        [Self::Vapi, Self::Livekit, Self::Pipecat, Self::Openai, Self::Retell, Self::Elevenlabs, Self::Browser];

    /// The provider's name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vapi => "vapi",
            Self::Livekit => "livekit",
            Self::Pipecat => "pipecat",
            Self::Openai => "openai",
            Self::Retell => "retell",
            Self::Elevenlabs => "elevenlabs",
            Self::Browser => "browser",
        }
    }

    /// The provider of that name; `None` for every other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == text)
    }
}

/// An agent's configuration, a JSON object. It holds credentials: it is stored sealed, its `Debug` is redacted, and no answer of
/// the API shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct AgentConfig(pub Vec<u8>);

impl std::fmt::Debug for AgentConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AgentConfig([redacted])")
    }
}

/// Changes to an agent; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the fields are those of the agent")]
pub struct AgentChanges {
    /// Which versions of the agent may be changed.
    pub expected: Expected,
    pub provider: Option<Provider>,
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub config: Option<AgentConfig>,
    pub is_active: Option<bool>,
}

/// An AI agent under test. Its configuration holds credentials, so it is stored beside and never part of this value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the documented ones of the API")]
pub struct Agent {
    pub id: AgentId,
    pub organization_id: OrganizationId,
    pub provider: Provider,
    pub name: String,
    pub description: Option<String>,
    pub is_active: bool,
    /// Counts its changes, those of its configuration too.
    pub version: Version,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
