//! What an id in a path can name.

use serde_json::{Value, json};

use crate::error::code::{self, Code};

/// A kind of resource that has paths of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    Agent,
    ApiKey,
    Delivery,
    Redelivery,
    Run,
    Webhook,
}

impl Resource {
    /// What is answered if there is none of that id.
    pub(super) fn missing(self) -> Code {
        match self {
            Self::Agent => code::AGENT_NOT_FOUND,
            Self::Run => code::RUN_NOT_FOUND,
            Self::ApiKey | Self::Delivery | Self::Redelivery | Self::Webhook => code::NOT_FOUND,
        }
    }

    /// The id as a parameter of a path.
    pub(super) fn parameter(self) -> Value {
        json!({
            "name": "id", "in": "path", "required": true, "description": self.described(), "schema": self.schema(),
        })
    }

    fn described(self) -> &'static str {
        match self {
            Self::Agent => "The agent's id.",
            Self::ApiKey => "The key's id, never its text.",
            Self::Delivery => "The delivery's id.",
            Self::Redelivery => "The bulk redelivery's id.",
            Self::Run => "The run's id, or its number such as `TR-00042`.",
            Self::Webhook => "The webhook's id.",
        }
    }

    /// What its ids look like.
    fn schema(self) -> Value {
        match self {
            Self::Run => run_reference(),
            _ => json!({"type": "string", "format": "uuid"}),
        }
    }
}

/// A run's id or its number.
pub(super) fn run_reference() -> Value {
    json!({"anyOf": [
        {"type": "string", "format": "uuid"},
        {"type": "string", "pattern": "^TR-([0-9]{5}|[1-9][0-9]{5,9})$"},
    ]})
}
