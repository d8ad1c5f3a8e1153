//! Agents and test suites; with the webhooks, all of administration.

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
    reveal::{KEPT_REVEALS, SecretReveal},
    secret::SigningSecret,
    test_suite::TestSuite,
    version::Expected,
    webhook::{SecretRotation, Webhook, WebhookChanges},
};

use super::{AgentRow, Ledger, ReferenceStore, page};

impl Ledger {
    pub(super) fn agent(&self, organization: OrganizationId, id: AgentId) -> Option<&AgentRow> {
        self.agents.get(&id).filter(|row| row.agent.organization_id == organization && !row.is_deleted)
    }

    fn is_named(&self, organization: OrganizationId, name: &str, besides: AgentId) -> bool {
        let others = self.agents.values().filter(|row| !row.is_deleted && row.agent.id != besides);
        others.into_iter().any(|row| row.agent.organization_id == organization && row.agent.name == name)
    }

    fn create_agent(&mut self, new: NewAgent) -> Result<Agent, CreateAgentError> {
        let NewAgent { agent, config } = new;
        if let Some(known) = self.agent(agent.organization_id, agent.id) {
            return Ok(known.agent.clone());
        }
        if self.agents.contains_key(&agent.id) || self.is_named(agent.organization_id, &agent.name, agent.id) {
            return Err(CreateAgentError::NameTaken);
        }
        self.agents.insert(agent.id, AgentRow { agent: agent.clone(), config, is_deleted: false });
        Ok(agent)
    }

    fn update_agent(
        &mut self,
        organization: OrganizationId,
        id: AgentId,
        changes: AgentChanges,
        at: Timestamp,
    ) -> Result<Agent, UpdateAgentError> {
        let mut agent = self.agent(organization, id).ok_or(UpdateAgentError::NotFound)?.agent.clone();
        if !changes.expected.allows(agent.version) {
            return Err(UpdateAgentError::Stale);
        }
        agent.version = agent.version.next();
        agent.provider = changes.provider.unwrap_or(agent.provider);
        agent.name = changes.name.unwrap_or(agent.name);
        agent.description = changes.description.unwrap_or(agent.description);
        agent.is_active = changes.is_active.unwrap_or(agent.is_active);
        agent.updated_at = at;
        if self.is_named(organization, &agent.name, id) {
            return Err(UpdateAgentError::NameTaken);
        }
        let row = self.agents.get_mut(&id).ok_or(UpdateAgentError::NotFound)?;
        row.agent = agent.clone();
        if let Some(config) = changes.config {
            row.config = config;
        }
        Ok(agent)
    }

    fn delete_agent(
        &mut self,
        organization: OrganizationId,
        id: AgentId,
        expected: &Expected,
        at: Timestamp,
    ) -> Result<bool, DeleteError> {
        let Some(row) = self.agent(organization, id) else { return Ok(false) };
        if !expected.allows(row.agent.version) {
            return Err(DeleteError::Stale);
        }
        if let Some(row) = self.agents.get_mut(&id) {
            row.is_deleted = true;
        }
        let webhook = self.webhook_at(organization, Some(id)).map(|webhook| webhook.id);
        if let Some(webhook) = webhook {
            self.delete_webhook(organization, webhook, &Expected::Any, at)?;
        }
        Ok(true)
    }

    fn reveal(
        &mut self,
        organization: OrganizationId,
        id: WebhookId,
        reveal: SecretReveal,
    ) -> Result<Option<SigningSecret>, RevealSecretError> {
        let row = self.webhooks.get_mut(&id).filter(|row| row.webhook.organization_id == organization);
        let row = row.ok_or(RevealSecretError::NotFound)?;
        if row.secret.is_some() {
            row.reveals.insert(0, reveal);
            row.reveals.truncate(KEPT_REVEALS as usize);
        }
        Ok(row.secret.clone())
    }
}

#[async_trait]
impl Administration for ReferenceStore {
    async fn create_agent(&self, agent: NewAgent) -> Result<Agent, CreateAgentError> {
        self.write(|ledger| ledger.create_agent(agent))
    }

    async fn agent(&self, organization: OrganizationId, id: AgentId) -> Result<Option<Agent>, StoreError> {
        Ok(self.read(|ledger| ledger.agent(organization, id).map(|row| row.agent.clone())))
    }

    async fn update_agent(
        &self,
        organization: OrganizationId,
        id: AgentId,
        changes: AgentChanges,
        at: Timestamp,
    ) -> Result<Agent, UpdateAgentError> {
        self.write(|ledger| ledger.update_agent(organization, id, changes, at))
    }

    async fn delete_agent(
        &self,
        organization: OrganizationId,
        id: AgentId,
        expected: Expected,
        at: Timestamp,
    ) -> Result<bool, DeleteError> {
        self.write(|ledger| ledger.delete_agent(organization, id, &expected, at))
    }

    async fn agent_config(
        &self,
        organization: OrganizationId,
        id: AgentId,
    ) -> Result<Option<(Agent, AgentConfig)>, StoreError> {
        Ok(self.read(|ledger| ledger.agent(organization, id).map(|row| (row.agent.clone(), row.config.clone()))))
    }

    async fn agents(
        &self,
        organization: OrganizationId,
        provider: Option<Provider>,
        wanted: Page,
    ) -> Result<(Vec<Agent>, u64), StoreError> {
        Ok(self.read(|ledger| {
            let agents = ledger.agents.values().filter(|row| !row.is_deleted).map(|row| &row.agent);
            let agents = agents.filter(|agent| agent.organization_id == organization);
            let mut rows: Vec<_> =
                agents.filter(|agent| provider.is_none_or(|provider| agent.provider == provider)).cloned().collect();
            rows.sort_by_key(|agent| std::cmp::Reverse((agent.created_at, agent.id)));
            page(rows, wanted)
        }))
    }

    async fn create_webhook(&self, webhook: NewWebhook) -> Result<Webhook, CreateWebhookError> {
        self.write(|ledger| ledger.create_webhook(webhook))
    }

    async fn webhook(&self, organization: OrganizationId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        Ok(self.read(|ledger| ledger.webhook(organization, id).map(|row| row.webhook.clone())))
    }

    async fn webhook_at(&self, organization: OrganizationId, agent: Option<AgentId>) -> Result<Option<Webhook>, StoreError> {
        Ok(self.read(|ledger| ledger.webhook_at(organization, agent).cloned()))
    }

    async fn webhooks(
        &self,
        organization: OrganizationId,
        agent: Option<AgentId>,
        wanted: Page,
    ) -> Result<(Vec<Webhook>, u64), StoreError> {
        Ok(self.read(|ledger| {
            let webhooks = ledger.webhooks.values().map(|row| &row.webhook);
            let webhooks = webhooks.filter(|webhook| webhook.organization_id == organization);
            let mut rows: Vec<_> =
                webhooks.filter(|webhook| agent.is_none() || webhook.agent_id == agent).cloned().collect();
            rows.sort_by_key(|webhook| std::cmp::Reverse((webhook.created_at, webhook.id)));
            page(rows, wanted)
        }))
    }

    async fn given_up_webhooks(&self, organization: OrganizationId, limit: u32) -> Result<Vec<Webhook>, StoreError> {
        Ok(self.read(|ledger| {
            let all = ledger.webhooks.values().map(|row| &row.webhook);
            let ours = all.filter(|webhook| webhook.organization_id == organization && webhook.disabled_reason.is_some());
            let mut given_up: Vec<_> = ours.cloned().collect();
            given_up.sort_by_key(|webhook| std::cmp::Reverse((webhook.updated_at, webhook.id)));
            given_up.truncate(limit as usize);
            given_up
        }))
    }

    async fn webhook_in_force(&self, organization: OrganizationId, agent: AgentId) -> Result<Option<InForce>, StoreError> {
        Ok(self.read(|ledger| ledger.webhook_in_force(organization, agent)))
    }

    async fn update_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        changes: WebhookChanges,
        at: Timestamp,
    ) -> Result<Webhook, UpdateWebhookError> {
        self.write(|ledger| ledger.update_webhook(organization, id, changes, at))
    }

    async fn rotate_secret(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        rotation: SecretRotation,
        at: Timestamp,
    ) -> Result<Webhook, UpdateWebhookError> {
        self.write(|ledger| ledger.rotate_secret(organization, id, rotation, at))
    }

    async fn reveal_secret(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        reveal: SecretReveal,
    ) -> Result<Option<SigningSecret>, RevealSecretError> {
        self.write(|ledger| ledger.reveal(organization, id, reveal))
    }

    async fn secret_reveals(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        limit: u32,
    ) -> Result<Vec<SecretReveal>, StoreError> {
        Ok(self.read(|ledger| {
            let reveals = ledger.webhook(organization, id).into_iter().flat_map(|row| &row.reveals);
            reveals.take(limit as usize).cloned().collect()
        }))
    }

    async fn delete_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        expected: Expected,
        at: Timestamp,
    ) -> Result<bool, DeleteError> {
        self.write(|ledger| ledger.delete_webhook(organization, id, &expected, at))
    }

    async fn create_test_suite(&self, suite: TestSuite) -> Result<TestSuite, StoreError> {
        self.write(|ledger| match ledger.suites.get(&suite.id) {
            Some(known) if known.organization_id == suite.organization_id => Ok(known.clone()),
            Some(_) => Err(StoreError::Unavailable("another organization has that test suite".to_owned())),
            None => {
                ledger.suites.insert(suite.id, suite.clone());
                Ok(suite)
            }
        })
    }

    async fn test_suites(&self, organization: OrganizationId, wanted: Page) -> Result<(Vec<TestSuite>, u64), StoreError> {
        Ok(self.read(|ledger| {
            let suites = ledger.suites.values().filter(|suite| suite.organization_id == organization);
            let mut rows: Vec<_> = suites.cloned().collect();
            rows.sort_by_key(|suite| std::cmp::Reverse((suite.created_at, suite.id)));
            page(rows, wanted)
        }))
    }
}
