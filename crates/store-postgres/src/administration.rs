//! [`Administration`] on PostgreSQL.

mod agents;
mod reveals;
mod test_suites;
mod webhooks;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    agent::{Agent, AgentChanges, AgentConfig, Provider},
    id::{AgentId, OrganizationId, WebhookId},
    in_force::InForce,
    port::{
        Administration, CreateAgentError, CreateWebhookError, DeleteError, NewAgent, NewWebhook, Page, RevealSecretError,
        StoreError, UpdateAgentError, UpdateWebhookError,
    },
    reveal::SecretReveal,
    secret::SigningSecret,
    test_suite::TestSuite,
    version::Expected,
    webhook::{SecretRotation, Webhook, WebhookChanges},
};
use tokio_postgres::Row;

pub(crate) use self::{agents::exists as agent_exists, test_suites::exists as test_suite_exists};
use crate::{
    PostgresStore,
    failure::Failure,
    row::{Param, number},
    transaction::{Transaction, Turn},
};

/// Rows of a page and the count of all, from a table with the columns `organization_id`, `created_at` and `id`. The first parameter is
/// the organization; the condition may speak of the others.
pub(crate) async fn page<T>(
    transaction: &Transaction,
    table: &str,
    condition: &str,
    parameters: &[&dyn Param],
    page: Page,
    read: fn(&Row) -> Result<T, Failure>,
) -> Result<(Vec<T>, u64), Failure> {
    let from = format!("FROM {table} WHERE organization_id = $1 AND {condition}");
    let total = transaction.row(&format!("SELECT count(*) AS total {from}"), parameters).await?;
    let total = number(&total.ok_or_else(|| Failure::unreadable("total"))?, "total")?;
    let Page { limit, offset } = page;
    let sql = format!("SELECT * {from} ORDER BY created_at DESC, id DESC LIMIT {limit} OFFSET {offset}");
    let rows = transaction.rows(&sql, parameters).await?;
    Ok((rows.iter().map(read).collect::<Result<_, _>>()?, total))
}

#[async_trait]
impl Administration for PostgresStore {
    async fn create_agent(&self, agent: NewAgent) -> Result<Agent, CreateAgentError> {
        let (vault, new) = (&self.0.vault, &agent);
        self.write(Turn::Alone(new.agent.organization_id), |transaction| {
            Box::pin(async move { agents::create(&transaction, vault, new).await })
        })
        .await
    }

    async fn agent(&self, organization: OrganizationId, id: AgentId) -> Result<Option<Agent>, StoreError> {
        self.read(|transaction| Box::pin(async move { agents::find(&transaction, organization, id).await })).await
    }

    async fn update_agent(
        &self,
        organization: OrganizationId,
        id: AgentId,
        changes: AgentChanges,
        at: Timestamp,
    ) -> Result<Agent, UpdateAgentError> {
        let (vault, changes) = (&self.0.vault, &changes);
        self.write(Turn::Alone(organization), |transaction| {
            Box::pin(async move { agents::update(&transaction, vault, organization, id, changes, at).await })
        })
        .await
    }

    async fn delete_agent(
        &self,
        organization: OrganizationId,
        id: AgentId,
        expected: Expected,
        at: Timestamp,
    ) -> Result<bool, DeleteError> {
        let expected = &expected;
        self.write(Turn::Alone(organization), |transaction| {
            Box::pin(async move { agents::delete(&transaction, organization, id, expected, at).await })
        })
        .await
    }

    async fn agent_config(
        &self,
        organization: OrganizationId,
        id: AgentId,
    ) -> Result<Option<(Agent, AgentConfig)>, StoreError> {
        let found = self.read(|transaction| Box::pin(async move { agents::sealed(&transaction, organization, id).await }));
        found.await?.map(|(agent, sealed)| Ok((agent, agents::open(&self.0.vault, id, &sealed)?))).transpose()
    }

    async fn agents(
        &self,
        organization: OrganizationId,
        provider: Option<Provider>,
        page: Page,
    ) -> Result<(Vec<Agent>, u64), StoreError> {
        self.read(|transaction| Box::pin(async move { agents::list(&transaction, organization, provider, page).await }))
            .await
    }

    async fn create_webhook(&self, webhook: NewWebhook) -> Result<Webhook, CreateWebhookError> {
        let (vault, new) = (&self.0.vault, &webhook);
        self.write(Turn::Alone(new.webhook.organization_id), |transaction| {
            Box::pin(async move { webhooks::create(&transaction, vault, new).await })
        })
        .await
    }

    async fn webhook(&self, organization: OrganizationId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        self.read(|transaction| Box::pin(async move { webhooks::find(&transaction, organization, id).await })).await
    }

    async fn webhook_at(&self, organization: OrganizationId, agent: Option<AgentId>) -> Result<Option<Webhook>, StoreError> {
        self.read(|transaction| Box::pin(async move { webhooks::at(&transaction, organization, agent).await })).await
    }

    async fn webhooks(
        &self,
        organization: OrganizationId,
        agent: Option<AgentId>,
        page: Page,
    ) -> Result<(Vec<Webhook>, u64), StoreError> {
        self.read(|transaction| Box::pin(async move { webhooks::list(&transaction, organization, agent, page).await })).await
    }

    async fn given_up_webhooks(&self, organization: OrganizationId, limit: u32) -> Result<Vec<Webhook>, StoreError> {
        self.read(|transaction| Box::pin(async move { webhooks::given_up(&transaction, organization, limit).await })).await
    }

    async fn webhook_in_force(&self, organization: OrganizationId, agent: AgentId) -> Result<Option<InForce>, StoreError> {
        self.read(|transaction| Box::pin(async move { webhooks::in_force(&transaction, organization, agent).await })).await
    }

    async fn update_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        changes: WebhookChanges,
        at: Timestamp,
    ) -> Result<Webhook, UpdateWebhookError> {
        let (vault, changes) = (&self.0.vault, &changes);
        self.write(Turn::Alone(organization), |transaction| {
            Box::pin(async move { webhooks::update(&transaction, vault, organization, id, changes, at).await })
        })
        .await
    }

    async fn rotate_secret(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        rotation: SecretRotation,
        at: Timestamp,
    ) -> Result<Webhook, UpdateWebhookError> {
        let (vault, rotation) = (&self.0.vault, &rotation);
        self.write(Turn::Alone(organization), |transaction| {
            Box::pin(async move { webhooks::rotate(&transaction, vault, organization, id, rotation, at).await })
        })
        .await
    }

    async fn reveal_secret(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        reveal: SecretReveal,
    ) -> Result<Option<SigningSecret>, RevealSecretError> {
        let (vault, reveal) = (&self.0.vault, &reveal);
        self.write(Turn::Alone(organization), |transaction| {
            Box::pin(async move { reveals::reveal(&transaction, vault, organization, id, reveal).await })
        })
        .await
    }

    async fn secret_reveals(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        limit: u32,
    ) -> Result<Vec<SecretReveal>, StoreError> {
        self.read(|transaction| Box::pin(async move { reveals::list(&transaction, organization, id, limit).await })).await
    }

    async fn delete_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        expected: Expected,
        at: Timestamp,
    ) -> Result<bool, DeleteError> {
        let expected = &expected;
        self.write(Turn::Alone(organization), |transaction| {
            Box::pin(async move { webhooks::delete(&transaction, organization, id, expected, at).await })
        })
        .await
    }

    async fn create_test_suite(&self, suite: TestSuite) -> Result<TestSuite, StoreError> {
        let suite = &suite;
        self.write(Turn::Free, |transaction| Box::pin(async move { test_suites::create(&transaction, suite).await })).await
    }

    async fn test_suites(&self, organization: OrganizationId, page: Page) -> Result<(Vec<TestSuite>, u64), StoreError> {
        self.read(|transaction| Box::pin(async move { test_suites::list(&transaction, organization, page).await })).await
    }
}
