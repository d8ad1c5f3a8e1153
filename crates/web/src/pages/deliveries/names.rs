//! What webhooks and agents are called.

use std::collections::BTreeSet;

use preclinical_core::{
    agent::Agent,
    delivery::Delivery,
    id::{AgentId, OrganizationId, WebhookId},
    port::{Page, Store, StoreError},
    webhook::Webhook,
};
use url::Url;

/// How many of each there are to choose from.
const CHOICES: Page = Page { limit: 100, offset: 0 };

/// The newest webhooks and agents of an organization, and those that are asked for.
pub(super) struct Names {
    pub(super) webhooks: Vec<Webhook>,
    pub(super) agents: Vec<Agent>,
}

impl Names {
    /// Those that there are to choose from, and those of these deliveries.
    pub(super) async fn load(
        store: &dyn Store,
        organization: OrganizationId,
        deliveries: &[Delivery],
        chosen: (Option<WebhookId>, Option<AgentId>),
    ) -> Result<Self, StoreError> {
        let (webhooks, _) = store.webhooks(organization, None, CHOICES).await?;
        let (agents, _) = store.agents(organization, None, CHOICES).await?;
        let mut names = Self { webhooks, agents };
        let wanted: BTreeSet<_> = deliveries.iter().map(|delivery| delivery.webhook_id).chain(chosen.0).collect();
        for id in wanted {
            if names.webhook(id).is_none() {
                names.webhooks.extend(store.webhook(organization, id).await?);
            }
        }
        let wanted: BTreeSet<_> = deliveries.iter().filter_map(|delivery| delivery.agent_id).chain(chosen.1).collect();
        for id in wanted {
            if names.agent(id).is_none() {
                names.agents.extend(store.agent(organization, id).await?);
            }
        }
        Ok(names)
    }

    /// The webhook, unless it was deleted.
    pub(super) fn webhook(&self, id: WebhookId) -> Option<&Webhook> {
        self.webhooks.iter().find(|webhook| webhook.id == id)
    }

    /// The agent, unless it was deleted.
    pub(super) fn agent(&self, id: AgentId) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.id == id)
    }

    /// A webhook in a few words: where it leads, and whose it is.
    pub(super) fn of_webhook(&self, webhook: &Webhook) -> String {
        let whose = match webhook.agent_id {
            None => "organization",
            Some(id) => self.agent(id).map_or("agent", |agent| agent.name.as_str()),
        };
        format!("{} · {whose}", host(&webhook.url))
    }
}

/// The host that a URL leads to, with its port; all of it if it leads nowhere.
pub(super) fn host(url: &str) -> String {
    let parsed = Url::parse(url).ok();
    let host = parsed.as_ref().and_then(|url| Some((url.host_str()?, url.port())));
    match host {
        Some((host, Some(port))) => format!("{host}:{port}"),
        Some((host, None)) => host.to_owned(),
        None => url.to_owned(),
    }
}
