//! Webhooks, their secrets, and which of them hears of what.

use jiff::Timestamp;
use preclinical_core::{
    choice::{self, Candidate, Level, Ruling, Rulings},
    delivery::DeliveryStatus,
    id::{AgentId, DeliveryId, OrganizationId, WebhookId},
    in_force::InForce,
    port::{CreateWebhookError, DeleteError, NewWebhook, UpdateWebhookError},
    secret::SigningSecret,
    version::Expected,
    webhook::{SecretRotation, Webhook, WebhookChanges},
};

use super::{Ledger, WebhookRow};

impl WebhookRow {
    /// Those that sign at that time, the current one first.
    pub(super) fn secrets(&self, at: Timestamp) -> Vec<SigningSecret> {
        let overlaps = self.webhook.rotated_until.is_some_and(|until| at < until);
        self.secret.iter().chain(self.rotated.iter().filter(|_| overlaps)).cloned().collect()
    }
}

impl Ledger {
    pub(super) fn webhook(&self, organization: OrganizationId, id: WebhookId) -> Option<&WebhookRow> {
        self.webhooks.get(&id).filter(|row| row.webhook.organization_id == organization)
    }

    pub(super) fn webhook_at(&self, organization: OrganizationId, agent: Option<AgentId>) -> Option<&Webhook> {
        let mut webhooks = self.webhooks.values().map(|row| &row.webhook);
        webhooks.find(|webhook| webhook.organization_id == organization && webhook.agent_id == agent)
    }

    /// Each webhook that may hear of the agent's runs, with what is decided about it, the agent's first.
    pub(super) fn judged(&self, organization: OrganizationId, agent: AgentId) -> Vec<(Level, &Webhook, Ruling)> {
        let (own, shared) = (self.webhook_at(organization, Some(agent)), self.webhook_at(organization, None));
        let candidate = |webhook: &Webhook| Candidate {
            id: webhook.id,
            is_enabled: webhook.is_enabled,
            disabled_reason: webhook.disabled_reason,
        };
        let Rulings { agent, organization } = choice::decide(own.map(candidate), shared.map(candidate));
        let own = own.zip(agent).map(|(webhook, ruling)| (Level::Agent, webhook, ruling));
        let shared = shared.zip(organization).map(|(webhook, ruling)| (Level::Organization, webhook, ruling));
        own.into_iter().chain(shared).collect()
    }

    pub(super) fn webhook_in_force(&self, organization: OrganizationId, agent: AgentId) -> Option<InForce> {
        let (level, webhook, ruling) = self.judged(organization, agent).into_iter().next()?;
        Some(InForce { webhook: webhook.clone(), level, ruling })
    }

    pub(super) fn create_webhook(&mut self, new: NewWebhook) -> Result<Webhook, CreateWebhookError> {
        let NewWebhook { webhook, secret, headers } = new;
        let organization = webhook.organization_id;
        if webhook.agent_id.is_some_and(|agent| self.agent(organization, agent).is_none()) {
            return Err(CreateWebhookError::AgentNotFound);
        }
        if let Some(known) = self.webhook(organization, webhook.id) {
            return Ok(known.webhook.clone());
        }
        if self.webhook_at(organization, webhook.agent_id).is_some() || self.webhooks.contains_key(&webhook.id) {
            return Err(CreateWebhookError::Exists);
        }
        let webhook = Webhook { has_secret: secret.is_some(), header_names: headers.names(), ..webhook };
        let row = WebhookRow {
            webhook: webhook.clone(),
            secret,
            rotated: None,
            last_rotation: None,
            headers,
            reveals: Vec::new(),
        };
        self.webhooks.insert(webhook.id, row);
        Ok(webhook)
    }

    fn webhook_mut(&mut self, organization: OrganizationId, id: WebhookId) -> Result<&mut WebhookRow, UpdateWebhookError> {
        let row = self.webhooks.get_mut(&id).filter(|row| row.webhook.organization_id == organization);
        row.ok_or(UpdateWebhookError::NotFound)
    }

    pub(super) fn update_webhook(
        &mut self,
        organization: OrganizationId,
        id: WebhookId,
        changes: WebhookChanges,
        at: Timestamp,
    ) -> Result<Webhook, UpdateWebhookError> {
        let row = self.webhook_mut(organization, id)?;
        if !changes.expected.allows(row.webhook.version) {
            return Err(UpdateWebhookError::Stale);
        }
        if let Some(wanted) = changes.headers {
            row.headers = row.headers.changed(wanted)?;
            row.webhook.header_names = row.headers.names();
        }
        let webhook = &mut row.webhook;
        let was_enabled = webhook.is_enabled;
        webhook.version = webhook.version.next();
        webhook.updated_at = at;
        webhook.url = changes.url.unwrap_or_else(|| webhook.url.clone());
        webhook.description = changes.description.unwrap_or_else(|| webhook.description.clone());
        webhook.replay_on_recovery = changes.replay_on_recovery.unwrap_or(webhook.replay_on_recovery);
        webhook.is_enabled = changes.is_enabled.unwrap_or(was_enabled);
        if webhook.is_enabled {
            webhook.disabled_reason = None;
        }
        if webhook.is_enabled && !was_enabled {
            webhook.health = webhook.health.anew();
        }
        if let Some(secret) = changes.secret {
            (webhook.has_secret, webhook.rotated_until) = (secret.is_some(), None);
            (row.secret, row.rotated) = (secret, None);
        }
        let webhook = row.webhook.clone();
        if was_enabled && !webhook.is_enabled {
            self.cancel_pending(id, at);
        }
        Ok(webhook)
    }

    pub(super) fn rotate_secret(
        &mut self,
        organization: OrganizationId,
        id: WebhookId,
        rotation: SecretRotation,
        at: Timestamp,
    ) -> Result<Webhook, UpdateWebhookError> {
        let row = self.webhook_mut(organization, id)?;
        row.webhook.version = row.webhook.version.next();
        row.webhook.updated_at = at;
        row.webhook.has_secret = true;
        let old = row.secret.replace(rotation.secret);
        if row.last_rotation.replace(rotation.id) != Some(rotation.id) {
            row.rotated = old.filter(|_| rotation.overlap.is_positive());
            let until = at.saturating_add(rotation.overlap).unwrap_or(Timestamp::MAX);
            row.webhook.rotated_until = row.rotated.is_some().then_some(until);
        }
        Ok(row.webhook.clone())
    }

    pub(super) fn delete_webhook(
        &mut self,
        organization: OrganizationId,
        id: WebhookId,
        expected: &Expected,
        at: Timestamp,
    ) -> Result<bool, DeleteError> {
        let Some(row) = self.webhook(organization, id) else { return Ok(false) };
        if !expected.allows(row.webhook.version) {
            return Err(DeleteError::Stale);
        }
        self.webhooks.remove(&id);
        self.cancel_pending(id, at);
        Ok(true)
    }

    /// Ends what a webhook still has to send, and answers what that was. Leases stay: who holds one may still record how the attempt
    /// ended.
    pub(super) fn cancel_pending(&mut self, webhook: WebhookId, at: Timestamp) -> Vec<DeliveryId> {
        let pending = self.deliveries.values().map(|row| &row.delivery);
        let pending = pending.filter(|one| one.webhook_id == webhook && one.status == DeliveryStatus::Pending);
        let pending: Vec<_> = pending.map(|delivery| delivery.id).collect();
        for id in &pending {
            self.end(*id, DeliveryStatus::Canceled, at);
        }
        pending
    }
}
