//! [`Administration`] on SQLite.

mod agents;
mod reveals;
mod test_suites;
mod webhooks;

use std::sync::Arc;

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
use rusqlite::{Connection, Row, ToSql};

pub(crate) use self::{agents::exists as agent_exists, test_suites::exists as test_suite_exists};
use crate::{SqliteStore, row::unavailable};

/// Rows of a page and the count of all, from a table with the columns `organization_id`, `created_at` and `id`.
pub(crate) fn page<T>(
    connection: &Connection,
    table: &str,
    condition: &str,
    parameters: &[(&str, &dyn ToSql)],
    page: Page,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<(Vec<T>, u64)> {
    let from = format!("FROM {table} WHERE organization_id = :organization AND {condition}");
    let total: i64 =
        connection.prepare_cached(&format!("SELECT count(*) {from}"))?.query_row(parameters, |row| row.get(0))?;
    let rows = connection
        .prepare_cached(&format!(
            "SELECT * {from} ORDER BY created_at DESC, id DESC LIMIT {} OFFSET {}",
            page.limit, page.offset
        ))?
        .query_map(parameters, read)?
        .collect::<rusqlite::Result<Vec<T>>>()?;
    Ok((rows, total.unsigned_abs()))
}

#[async_trait]
impl Administration for SqliteStore {
    async fn create_agent(&self, agent: NewAgent) -> Result<Agent, CreateAgentError> {
        let vault = Arc::clone(&self.vault);
        self.write(move |connection| agents::create(connection, &vault, agent.clone())).await
    }

    async fn agent(&self, organization: OrganizationId, id: AgentId) -> Result<Option<Agent>, StoreError> {
        self.read(move |connection| agents::find(connection, organization, id).map_err(unavailable)).await
    }

    async fn update_agent(
        &self,
        organization: OrganizationId,
        id: AgentId,
        changes: AgentChanges,
        at: Timestamp,
    ) -> Result<Agent, UpdateAgentError> {
        let vault = Arc::clone(&self.vault);
        self.write(move |connection| agents::update(connection, &vault, organization, id, changes.clone(), at)).await
    }

    async fn delete_agent(
        &self,
        organization: OrganizationId,
        id: AgentId,
        expected: Expected,
        at: Timestamp,
    ) -> Result<bool, DeleteError> {
        self.write(move |connection| agents::delete(connection, organization, id, &expected, at)).await
    }

    async fn agent_config(
        &self,
        organization: OrganizationId,
        id: AgentId,
    ) -> Result<Option<(Agent, AgentConfig)>, StoreError> {
        let vault = Arc::clone(&self.vault);
        self.read(move |connection| agents::with_config(connection, &vault, organization, id)).await
    }

    async fn agents(
        &self,
        organization: OrganizationId,
        provider: Option<Provider>,
        page: Page,
    ) -> Result<(Vec<Agent>, u64), StoreError> {
        self.read(move |connection| agents::list(connection, organization, provider, page).map_err(unavailable)).await
    }

    async fn create_webhook(&self, webhook: NewWebhook) -> Result<Webhook, CreateWebhookError> {
        let vault = Arc::clone(&self.vault);
        self.write(move |connection| webhooks::create(connection, &vault, webhook.clone())).await
    }

    async fn webhook(&self, organization: OrganizationId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        self.read(move |connection| webhooks::find(connection, organization, id).map_err(unavailable)).await
    }

    async fn webhook_at(&self, organization: OrganizationId, agent: Option<AgentId>) -> Result<Option<Webhook>, StoreError> {
        self.read(move |connection| webhooks::at(connection, organization, agent).map_err(unavailable)).await
    }

    async fn webhooks(
        &self,
        organization: OrganizationId,
        agent: Option<AgentId>,
        page: Page,
    ) -> Result<(Vec<Webhook>, u64), StoreError> {
        self.read(move |connection| webhooks::list(connection, organization, agent, page).map_err(unavailable)).await
    }

    async fn given_up_webhooks(&self, organization: OrganizationId, limit: u32) -> Result<Vec<Webhook>, StoreError> {
        self.read(move |connection| webhooks::given_up(connection, organization, limit).map_err(unavailable)).await
    }

    async fn webhook_in_force(&self, organization: OrganizationId, agent: AgentId) -> Result<Option<InForce>, StoreError> {
        self.read(move |connection| webhooks::in_force(connection, organization, agent).map_err(unavailable)).await
    }

    async fn update_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        changes: WebhookChanges,
        at: Timestamp,
    ) -> Result<Webhook, UpdateWebhookError> {
        let vault = Arc::clone(&self.vault);
        self.write(move |connection| webhooks::update(connection, &vault, organization, id, changes.clone(), at)).await
    }

    async fn rotate_secret(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        rotation: SecretRotation,
        at: Timestamp,
    ) -> Result<Webhook, UpdateWebhookError> {
        let vault = Arc::clone(&self.vault);
        self.write(move |connection| webhooks::rotate(connection, &vault, organization, id, &rotation, at)).await
    }

    async fn reveal_secret(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        reveal: SecretReveal,
    ) -> Result<Option<SigningSecret>, RevealSecretError> {
        let vault = Arc::clone(&self.vault);
        self.write(move |connection| reveals::reveal(connection, &vault, organization, id, &reveal)).await
    }

    async fn secret_reveals(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        limit: u32,
    ) -> Result<Vec<SecretReveal>, StoreError> {
        self.read(move |connection| reveals::list(connection, organization, id, limit).map_err(unavailable)).await
    }

    async fn delete_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        expected: Expected,
        at: Timestamp,
    ) -> Result<bool, DeleteError> {
        self.write(move |connection| webhooks::delete(connection, organization, id, &expected, at)).await
    }

    async fn create_test_suite(&self, suite: TestSuite) -> Result<TestSuite, StoreError> {
        self.write(move |connection| test_suites::create(connection, suite.clone()).map_err(unavailable)).await
    }

    async fn test_suites(&self, organization: OrganizationId, page: Page) -> Result<(Vec<TestSuite>, u64), StoreError> {
        self.read(move |connection| test_suites::list(connection, organization, page).map_err(unavailable)).await
    }
}
