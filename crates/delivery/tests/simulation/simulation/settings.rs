//! What owners change: webhooks are set, edited, switched and deleted. These calls are never disturbed.

use jiff::SignedDuration;
use preclinical_core::{
    agent::{Agent, AgentConfig, Provider},
    clock::Clock,
    custom_header::CustomHeaders,
    health::Health,
    id::{AgentId, RotationId, WebhookId},
    organization::Organization,
    port::{NewAgent, NewWebhook},
    replay_on_recovery::ReplayOnRecovery,
    secret::SigningSecret,
    version::{Expected, Version},
    webhook::{SecretRotation, Webhook, WebhookChanges},
};

use super::Simulation;
use crate::oracle;

impl Simulation {
    pub(super) fn create_organization(&mut self) {
        let (id, created_at) = (self.organization, self.truth.now());
        let slug = format!("simulation-{}", self.plan.seed).parse().unwrap();
        let organization = Organization { id, slug, created_at };
        self.weather.finish(self.roles.access.ensure_organization(organization)).unwrap();
        for number in 0..2 {
            self.create_agent(number);
        }
        self.create_webhook(None);
        if self.plan.overrides {
            self.create_webhook(Some(self.agents[0]));
        }
    }

    fn create_agent(&mut self, number: usize) {
        let at = self.truth.now();
        let agent = Agent {
            id: AgentId::generate(at, &self.chance),
            organization_id: self.organization,
            provider: Provider::Openai,
            name: format!("Agent {number}"),
            description: None,
            is_active: true,
            version: Version::FIRST,
            created_at: at,
            updated_at: at,
        };
        self.agents.push(agent.id);
        let agent = NewAgent { agent, config: AgentConfig(b"{}".to_vec()) };
        self.weather.finish(self.roles.administration.create_agent(agent)).unwrap();
    }

    /// Deletes an agent, with its webhook, and sets up another.
    pub(super) fn replace_agent(&mut self) {
        let id = self.agents.remove(self.dice.index(self.agents.len()));
        let at = self.truth.now();
        let deleting = self.roles.administration.delete_agent(self.organization, id, Expected::Any, at);
        assert!(self.weather.finish(deleting).unwrap(), "the agent was there");
        {
            let mut oracle = self.oracle();
            oracle.tell("an agent is deleted");
            let own = oracle.webhooks.iter_mut().find(|(_, webhook)| webhook.agent == Some(id) && !webhook.is_deleted);
            let own = own.map(|(id, webhook)| {
                webhook.is_deleted = true;
                *id
            });
            if let Some(own) = own {
                oracle.cancel_pending(own);
            }
        }
        self.written += 1;
        self.create_agent(self.written);
    }

    fn next_url(&mut self) -> String {
        self.written += 1;
        format!("https://receiver.example/{}", self.written)
    }

    fn create_webhook(&mut self, agent_id: Option<AgentId>) {
        let (at, url) = (self.truth.now(), self.next_url());
        let secret = self.dice.happens(800).then(|| format!("secret {url}"));
        let wish = if self.written.is_multiple_of(2) { ReplayOnRecovery::All } else { ReplayOnRecovery::NewestPerAgent };
        let webhook = Webhook {
            id: WebhookId::generate(at, &self.chance),
            organization_id: self.organization,
            agent_id,
            url: url.clone(),
            has_secret: secret.is_some(),
            rotated_until: None,
            header_names: Vec::new(),
            description: None,
            is_enabled: true,
            disabled_reason: None,
            replay_on_recovery: wish,
            health: Health::default(),
            version: Version::FIRST,
            created_at: at,
            updated_at: at,
        };
        let id = webhook.id;
        let new = NewWebhook { webhook, secret: secret.as_deref().map(secret_of), headers: CustomHeaders::default() };
        self.weather.finish(self.roles.administration.create_webhook(new)).unwrap();
        let mut oracle = self.oracle();
        oracle.tell(format!("a webhook at {url}"));
        oracle.webhooks.insert(
            id,
            oracle::Webhook {
                agent: agent_id,
                url,
                secret,
                rotated: None,
                is_enabled: true,
                given_up: None,
                is_deleted: false,
                streak: oracle::Streak::default(),
            },
        );
    }

    /// A webhook that is there.
    fn a_webhook(&self) -> Option<WebhookId> {
        let oracle = self.oracle();
        let there: Vec<WebhookId> =
            oracle.webhooks.iter().filter(|(_, webhook)| !webhook.is_deleted).map(|(id, _)| *id).collect();
        self.dice.pick(&there).copied()
    }

    fn update(&self, id: WebhookId, changes: WebhookChanges) {
        let updating = self.roles.administration.update_webhook(self.organization, id, changes, self.truth.now());
        self.weather.finish(updating).unwrap();
    }

    pub(crate) fn edit_url(&mut self) {
        let Some(id) = self.a_webhook() else { return };
        let url = self.next_url();
        self.update(id, WebhookChanges { url: Some(url.clone()), ..WebhookChanges::default() });
        let mut oracle = self.oracle();
        oracle.tell(format!("a webhook moves to {url}"));
        oracle.webhooks.get_mut(&id).unwrap().url = url;
    }

    /// Sets another secret, takes it away, or rotates it.
    pub(crate) fn edit_secret(&mut self) {
        let Some(id) = self.a_webhook() else { return };
        self.written += 1;
        let secret = format!("secret {}", self.written);
        if self.dice.happens(500) {
            let overlap = SignedDuration::from_secs(self.dice.below(120).into());
            let rotation = RotationId::generate(self.truth.now(), &self.chance);
            let order = SecretRotation { id: rotation, secret: secret_of(&secret), overlap };
            let at = self.truth.now();
            self.weather.finish(self.roles.administration.rotate_secret(self.organization, id, order, at)).unwrap();
            let mut oracle = self.oracle();
            oracle.tell("a secret is rotated");
            let webhook = oracle.webhooks.get_mut(&id).unwrap();
            let old = webhook.secret.replace(secret);
            webhook.rotated = old.filter(|_| overlap.is_positive()).map(|old| (old, at + overlap));
        } else {
            let secret = self.dice.happens(800).then_some(secret);
            self.update(id, WebhookChanges { secret: Some(secret.as_deref().map(secret_of)), ..WebhookChanges::default() });
            let mut oracle = self.oracle();
            oracle.tell(format!("a secret is set: {secret:?}"));
            let webhook = oracle.webhooks.get_mut(&id).unwrap();
            (webhook.secret, webhook.rotated) = (secret, None);
        }
    }

    /// Disables a webhook that is enabled, enables one that is not.
    pub(crate) fn switch(&mut self) {
        let Some(id) = self.a_webhook() else { return };
        let to = !self.oracle().webhooks[&id].is_enabled;
        self.update(id, WebhookChanges { is_enabled: Some(to), ..WebhookChanges::default() });
        let mut oracle = self.oracle();
        oracle.tell(format!("a webhook is enabled: {to}"));
        let webhook = oracle.webhooks.get_mut(&id).unwrap();
        webhook.is_enabled = to;
        if to {
            (webhook.given_up, webhook.streak) = (None, oracle::Streak::default());
        }
        if !to {
            oracle.cancel_pending(id);
        }
    }

    pub(super) fn delete_or_create_webhook(&mut self) {
        let levels = [None, self.agents.first().copied(), self.agents.last().copied()];
        let level = self.dice.pick(&levels).copied().flatten();
        let there = {
            let oracle = self.oracle();
            oracle.webhooks.iter().find(|(_, webhook)| webhook.agent == level && !webhook.is_deleted).map(|(id, _)| *id)
        };
        let Some(id) = there else { return self.create_webhook(level) };
        let at = self.truth.now();
        let deleting = self.roles.administration.delete_webhook(self.organization, id, Expected::default(), at);
        assert!(self.weather.finish(deleting).unwrap(), "the webhook was there");
        let mut oracle = self.oracle();
        oracle.tell("a webhook is deleted");
        oracle.webhooks.get_mut(&id).unwrap().is_deleted = true;
        oracle.cancel_pending(id);
    }
}

fn secret_of(text: &str) -> SigningSecret {
    SigningSecret::from_stored(text)
}
