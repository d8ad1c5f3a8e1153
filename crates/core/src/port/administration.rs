//! Agents and webhooks are set up.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Page, StoreError};
use crate::{
    agent::{Agent, Provider},
    id::{AgentId, OrganizationId, WebhookId},
    webhook::{Webhook, WebhookChanges},
};

/// Agents and webhooks of an organization.
#[async_trait]
pub trait Administration: Send + Sync {
    /// Creates an agent. Names are unique in an organization.
    async fn create_agent(&self, agent: NewAgent) -> Result<Agent, CreateAgentError>;

    /// The agent of that id.
    async fn agent(&self, organization: OrganizationId, id: AgentId) -> Result<Option<Agent>, StoreError>;

    /// A page of the agents, newest first, and how many there are in all.
    async fn agents(
        &self,
        organization: OrganizationId,
        provider: Option<Provider>,
        page: Page,
    ) -> Result<(Vec<Agent>, u64), StoreError>;

    /// Creates a webhook: one at organization level, one per agent.
    async fn create_webhook(&self, webhook: Webhook) -> Result<Webhook, CreateWebhookError>;

    /// The webhook of that id.
    async fn webhook(&self, organization: OrganizationId, id: WebhookId) -> Result<Option<Webhook>, StoreError>;

    /// A page of the webhooks, newest first, and how many there are in all.
    async fn webhooks(
        &self,
        organization: OrganizationId,
        agent: Option<AgentId>,
        page: Page,
    ) -> Result<(Vec<Webhook>, u64), StoreError>;

    /// Changes a webhook. Disabling it cancels its pending deliveries; a new URL or secret applies to their next attempt.
    async fn update_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        changes: WebhookChanges,
        at: Timestamp,
    ) -> Result<Webhook, UpdateWebhookError>;

    /// Deletes a webhook and cancels its pending deliveries; its history stays. `false` if there was none.
    async fn delete_webhook(&self, organization: OrganizationId, id: WebhookId, at: Timestamp) -> Result<bool, StoreError>;
}

/// An agent to be created.
#[derive(Debug, Clone)]
pub struct NewAgent {
    /// The agent.
    pub agent: Agent,
    /// Its configuration, a JSON object. It holds credentials, so nothing ever reads it back into an answer.
    pub config: AgentConfig,
}

/// An agent's configuration; its `Debug` is redacted.
#[derive(Clone)]
pub struct AgentConfig(pub Vec<u8>);

impl std::fmt::Debug for AgentConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AgentConfig([redacted])")
    }
}

/// Why no agent was created.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum CreateAgentError {
    #[error("an agent of that name exists")]
    NameTaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why no webhook was created.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum CreateWebhookError {
    #[error("no such agent")]
    AgentNotFound,
    #[error("the organization or the agent already has a webhook")]
    Exists,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a webhook was not changed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum UpdateWebhookError {
    #[error("no such webhook")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}
