//! Agents on the wire. Their configuration is not: it holds credentials.

use jiff::Timestamp;
use preclinical_core::{
    agent::{Agent, Provider},
    id::AgentId,
    wire_time,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::openapi::{Choice, DateTime, Uuid};

/// An AI agent under test. Its configuration is never shown.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Agent")]
pub(crate) struct AgentView<'a> {
    #[schemars(with = "Uuid")]
    id: AgentId,
    #[schemars(with = "Choice<Provider>")]
    provider: &'a str,
    name: &'a str,
    description: Option<&'a str>,
    is_active: bool,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schemars(with = "DateTime")]
    created_at: Timestamp,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schemars(with = "DateTime")]
    updated_at: Timestamp,
}

impl<'a> From<&'a Agent> for AgentView<'a> {
    fn from(agent: &'a Agent) -> Self {
        Self {
            id: agent.id,
            provider: agent.provider.as_str(),
            name: &agent.name,
            description: agent.description.as_deref(),
            is_active: agent.is_active,
            created_at: agent.created_at,
            updated_at: agent.updated_at,
        }
    }
}
