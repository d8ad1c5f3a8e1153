//! Real runs, completed and delivered, so that every row that is copied is one that the product wrote.

use anyhow::Context;
use serde_json::json;
use uuid::Uuid;

use crate::{product::Product, sample, stage::Sink};

/// Runs that are completed, for each agent.
const RUNS: usize = 20;

/// An agent, and the webhook that hears of its runs.
pub(crate) struct Owner {
    pub(crate) agent: Uuid,
    pub(crate) webhook: Uuid,
}

/// Two agents, one of which has a webhook of its own; the other's runs are heard of by the organization's. No server runs afterwards.
pub(crate) async fn complete(product: &Product) -> anyhow::Result<[Owner; 2]> {
    let (serving, sink) = (product.serve().await?, Sink::start().await?);
    let (api, secret) = (&serving.api, sample::secret()?);
    let mut owners = Vec::new();
    for (name, has_own) in [("Agent with a webhook", true), ("Agent without", false)] {
        let agent = api.create("/api/v1/agents", &json!({"provider": "openai", "name": name, "config": {}})).await?;
        let mut webhook = json!({"url": sink.url(), "secret": secret.expose()});
        if has_own {
            webhook["agent_id"] = json!(agent);
        }
        let webhook = api.create("/api/v1/webhooks", &webhook).await?;
        owners.push(Owner { agent: agent.parse()?, webhook: webhook.parse()? });
    }
    for owner in &owners {
        for _ in 0..RUNS {
            let run = api.create("/api/v1/runs", &json!({"agent_id": owner.agent, "name": sample::RUN_NAME})).await?;
            api.complete(&run).await?;
        }
    }
    sink.all(2 * RUNS).await?;
    for owner in &owners {
        let webhook = owner.webhook.to_string();
        serving.nothing_pending(&webhook).await?;
        serving.check_history(&webhook, RUNS).await?;
    }
    serving.server.stop().await?;
    sink.end().await?;
    owners.try_into().ok().context("two agents")
}
