//! Agents, webhooks and test suites are set up.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Page, StoreError};
use crate::{
    agent::{Agent, AgentChanges, AgentConfig, Provider},
    custom_header::{CustomHeaders, RefusedHeader},
    id::{AgentId, OrganizationId, WebhookId},
    in_force::InForce,
    reveal::SecretReveal,
    secret::SigningSecret,
    test_suite::TestSuite,
    version::Expected,
    webhook::{SecretRotation, Webhook, WebhookChanges},
};

/// Agents, webhooks and test suites of an organization.
#[async_trait]
pub trait Administration: Send + Sync {
    /// Creates an agent. Names are unique in an organization. Under the id of one that the organization has, it answers that one.
    async fn create_agent(&self, agent: NewAgent) -> Result<Agent, CreateAgentError>;

    /// The agent of that id.
    async fn agent(&self, organization: OrganizationId, id: AgentId) -> Result<Option<Agent>, StoreError>;

    /// Changes an agent of an expected version, which is told apart from every other in the same transaction. Names stay unique.
    async fn update_agent(
        &self,
        organization: OrganizationId,
        id: AgentId,
        changes: AgentChanges,
        at: Timestamp,
    ) -> Result<Agent, UpdateAgentError>;

    /// Deletes an agent and its webhook, whose pending deliveries are canceled. Its runs stay and still end, its name is free
    /// again. `false` if there was none.
    async fn delete_agent(
        &self,
        organization: OrganizationId,
        id: AgentId,
        expected: Expected,
        at: Timestamp,
    ) -> Result<bool, DeleteError>;

    /// An agent with its configuration.
    async fn agent_config(
        &self,
        organization: OrganizationId,
        id: AgentId,
    ) -> Result<Option<(Agent, AgentConfig)>, StoreError>;

    /// A page of the agents, newest first, and how many there are in all.
    async fn agents(
        &self,
        organization: OrganizationId,
        provider: Option<Provider>,
        page: Page,
    ) -> Result<(Vec<Agent>, u64), StoreError>;

    /// Creates a webhook: one at organization level, one per agent. Under the id of one that the organization has, it answers
    /// that one.
    async fn create_webhook(&self, webhook: NewWebhook) -> Result<Webhook, CreateWebhookError>;

    /// The webhook of that id.
    async fn webhook(&self, organization: OrganizationId, id: WebhookId) -> Result<Option<Webhook>, StoreError>;

    /// The webhook of that agent, or the organization's own.
    async fn webhook_at(&self, organization: OrganizationId, agent: Option<AgentId>) -> Result<Option<Webhook>, StoreError>;

    /// A page of the webhooks, newest first, and how many there are in all.
    async fn webhooks(
        &self,
        organization: OrganizationId,
        agent: Option<AgentId>,
        page: Page,
    ) -> Result<(Vec<Webhook>, u64), StoreError>;

    /// Webhooks that we disabled, and nobody has enabled again: those that changed last come first.
    async fn given_up_webhooks(&self, organization: OrganizationId, limit: u32) -> Result<Vec<Webhook>, StoreError>;

    /// The webhook that a run of the agent would be judged by if it ended now; `None` if there is none at either level.
    async fn webhook_in_force(&self, organization: OrganizationId, agent: AgentId) -> Result<Option<InForce>, StoreError>;

    /// Changes a webhook of an expected version, which is told apart from every other in the same transaction. Disabling it cancels
    /// its pending deliveries, and another change of one that is disabled leaves its tests alone; a new URL, secret or custom header
    /// applies to the next attempt. A new secret, or none, also ends the overlap of an earlier rotation. Custom headers are replaced as
    /// a whole, and one that comes without a value keeps its own. One that is enabled again begins a new streak: what it failed before
    /// counts no more, and what it missed before is still missed.
    ///
    /// More deliveries may be pending than one transaction can cancel. A store may then cancel them in several, all of them before it
    /// answers with `Ok`. Should it not come to that, those that are left show as pending until they are due, and are never sent, also
    /// if the webhook is enabled again. The same holds wherever a webhook is disabled or deleted.
    async fn update_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        changes: WebhookChanges,
        at: Timestamp,
    ) -> Result<Webhook, UpdateWebhookError>;

    /// Puts a new secret in force. The current one signs behind it until the overlap ends; one before that signs no more.
    ///
    /// The last rotation may be made again under its id: only the new secret is replaced, which nobody may have seen.
    async fn rotate_secret(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        rotation: SecretRotation,
        at: Timestamp,
    ) -> Result<Webhook, UpdateWebhookError>;

    /// The secret in force, if there is one, to be shown to a member. Who is shown it and when is noted in the same transaction;
    /// the newest [`KEPT_REVEALS`](crate::reveal::KEPT_REVEALS) of a webhook are kept. Where there is none, nothing is noted.
    async fn reveal_secret(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        reveal: SecretReveal,
    ) -> Result<Option<SigningSecret>, RevealSecretError>;

    /// To whom the secrets of a webhook were shown, the last one first.
    async fn secret_reveals(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        limit: u32,
    ) -> Result<Vec<SecretReveal>, StoreError>;

    /// Deletes a webhook, with the note of who saw its secrets, and cancels its pending deliveries; its history stays. `false` if
    /// there was none.
    async fn delete_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        expected: Expected,
        at: Timestamp,
    ) -> Result<bool, DeleteError>;

    /// Creates a test suite. Under the id of one that the organization has, it answers that one.
    async fn create_test_suite(&self, suite: TestSuite) -> Result<TestSuite, StoreError>;

    /// A page of the test suites, newest first, and how many there are in all.
    async fn test_suites(&self, organization: OrganizationId, page: Page) -> Result<(Vec<TestSuite>, u64), StoreError>;
}

/// An agent to be created.
#[derive(Debug, Clone)]
pub struct NewAgent {
    /// The agent.
    pub agent: Agent,
    /// Its configuration.
    pub config: AgentConfig,
}

/// A webhook to be created.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// The webhook; whether it has a secret, and the names of its headers, follow from the next fields.
    pub webhook: Webhook,
    /// Its secret.
    pub secret: Option<SigningSecret>,
    /// Its custom headers.
    pub headers: CustomHeaders,
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

/// Why an agent was not changed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum UpdateAgentError {
    #[error("no such agent")]
    NotFound,
    #[error("the agent has another version")]
    Stale,
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
    #[error("the webhook has another version")]
    Stale,
    #[error(transparent)]
    Header(#[from] RefusedHeader),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why no secret was revealed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum RevealSecretError {
    #[error("no such webhook")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why nothing was deleted.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum DeleteError {
    #[error("it has another version")]
    Stale,
    #[error(transparent)]
    Store(#[from] StoreError),
}
