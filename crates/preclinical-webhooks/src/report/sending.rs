//! A report goes to the server: one run, its results in portions, its end.

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use preclinical_core::{agent::Provider, clock::Clock, id::AgentId, scenario::ScenarioResult};
use serde_json::{Value, json};

use super::parsed::Parsed;
use crate::{
    client::{ApiClient, Refusal},
    system::SystemClock,
    terminal::printable,
};

/// What the server takes in one call: how many results, and about how many bytes of them.
const MOST_RESULTS: usize = 1000;
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// A run that was reported.
pub(super) struct Sent {
    /// It, as the server shows it.
    pub(super) run: Value,
}

/// The id of the agent of that id or name; created with that provider if it is missing.
pub(super) async fn agent(client: &ApiClient, named: &str, create: Option<Provider>) -> anyhow::Result<String> {
    if named.parse::<AgentId>().is_ok() {
        let agent = client.get(&format!("/agents/{named}")).await;
        return id_of(&agent.with_context(|| format!("the agent {named}"))?);
    }
    if let Some(agent) = find(client, named).await? {
        return id_of(&agent);
    }
    let Some(provider) = create else {
        bail!("there is no agent named {:?}; --create-agent makes one", printable(named));
    };
    let new = json!({"provider": provider.as_str(), "name": named, "config": {}});
    match client.post("/agents", &new).await {
        Ok(agent) => id_of(&agent),
        // Somebody else was faster.
        Err(error) if is(&error, "ALREADY_EXISTS") => {
            find(client, named).await?.map_or_else(|| Err(error), |agent| id_of(&agent))
        }
        Err(error) => Err(error.context("the agent cannot be created")),
    }
}

async fn find(client: &ApiClient, name: &str) -> anyhow::Result<Option<Value>> {
    let mut offset = 0;
    loop {
        let page = client.get(&format!("/agents?limit=100&offset={offset}")).await?;
        let agents = page["agents"].as_array().context("the server's list of agents cannot be read")?;
        if let Some(agent) = agents.iter().find(|agent| agent["name"] == name) {
            return Ok(Some(agent.clone()));
        }
        offset += agents.len();
        if agents.is_empty() || page["total"].as_u64().is_none_or(|total| offset as u64 >= total) {
            return Ok(None);
        }
    }
}

/// Makes one finished run of all results. It ends now, and started as long ago as the tests took.
pub(super) async fn send(client: &ApiClient, agent_id: &str, name: &str, parsed: &Parsed) -> anyhow::Result<Sent> {
    let started_at = start(parsed);
    let new = json!({"agent_id": agent_id, "name": name, "started_at": started_at.to_string()});
    let run = client.post("/runs", &new).await.context("the run cannot be created")?;
    let number = run["test_run_id"].as_str().unwrap_or_default().to_owned();
    let id = id_of(&run)?;
    let sent = finish(client, &id, parsed).await;
    sent.with_context(|| format!("the run {} was created and is not finished", printable(&number)))
}

async fn finish(client: &ApiClient, id: &str, parsed: &Parsed) -> anyhow::Result<Sent> {
    let bar = progress(parsed.results.len());
    for portion in portions(&parsed.results) {
        client.post(&format!("/runs/{id}/results"), &json!({"results": portion})).await?;
        bar.inc(portion.len() as u64);
    }
    bar.finish_and_clear();
    Ok(Sent { run: client.post(&format!("/runs/{id}/complete"), &json!({})).await? })
}

fn start(parsed: &Parsed) -> Timestamp {
    let now = SystemClock.now();
    let took = SignedDuration::try_from(parsed.duration).unwrap_or(SignedDuration::ZERO);
    now.saturating_sub(took).unwrap_or(now)
}

fn portions(results: &[ScenarioResult]) -> Vec<&[ScenarioResult]> {
    let mut portions = Vec::new();
    let (mut first, mut bytes) = (0, 0);
    for (index, result) in results.iter().enumerate() {
        let size = serde_json::to_vec(result).map_or(0, |json| json.len());
        if index > first && (index - first == MOST_RESULTS || bytes + size > MOST_BYTES) {
            portions.push(&results[first..index]);
            (first, bytes) = (index, 0);
        }
        bytes += size;
    }
    if first < results.len() {
        portions.push(&results[first..]);
    }
    portions
}

/// A bar on standard error; none for what is sent in one portion, or where nobody looks.
fn progress(results: usize) -> ProgressBar {
    if results <= MOST_RESULTS {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} results, {eta} left");
    ProgressBar::new(results as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn id_of(resource: &Value) -> anyhow::Result<String> {
    Ok(resource["id"].as_str().context("the server's answer has no id")?.to_owned())
}

fn is(error: &anyhow::Error, code: &str) -> bool {
    error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.body["code"] == code)
}

#[cfg(test)]
mod tests {
    use preclinical_core::scenario::ScenarioStatus;

    use super::{super::parsed::Case, *};

    #[test]
    fn portions_keep_the_order_lose_nothing_and_fit_a_call() {
        let mut parsed = Parsed::default();
        for index in 0..2500 {
            let error = (index % 10 == 0).then(|| "x".repeat(60_000));
            parsed.push(ScenarioStatus::Failed, Case { name: index.to_string(), error, ..Case::default() });
        }
        let portions = portions(&parsed.results);
        assert_eq!(portions.concat(), parsed.results);
        for portion in portions {
            assert!(portion.len() <= MOST_RESULTS && serde_json::to_vec(portion).unwrap().len() < 2 * MOST_BYTES);
        }
    }
}
