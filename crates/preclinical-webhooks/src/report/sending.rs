//! A report goes to the server: one run, its results in portions, its end.

use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    agent::Provider,
    clock::Clock,
    id::AgentId,
    scenario::{MAX_SCENARIOS, ScenarioResult},
};
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

/// The largest result that still fits a call, in bytes.
const LARGEST_RESULT: usize = 15 * 1024 * 1024;

/// The longest time that a run is said to have taken. The server takes 30 days, by its own clock.
const LONGEST_RUN: Duration = Duration::from_hours(30 * 24 - 1);

/// A run that was reported.
pub(super) struct Sent {
    /// It, as the server shows it.
    pub(super) run: Value,
}

/// Refuses what the server would refuse only when half of it is there.
pub(super) fn check(parsed: &Parsed) -> anyhow::Result<()> {
    if parsed.results.len() > MAX_SCENARIOS as usize {
        bail!("{} results are more than the {MAX_SCENARIOS} that a run can have", parsed.results.len());
    }
    if let Some(result) = parsed.results.iter().find(|result| size(result) > LARGEST_RESULT) {
        bail!("the result of {:?} is larger than {} MiB", printable(&result.scenario_id), LARGEST_RESULT >> 20);
    }
    Ok(())
}

fn size(result: &ScenarioResult) -> usize {
    serde_json::to_vec(result).map_or(0, |json| json.len())
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
    let mut run = create(client, agent_id, name, start(parsed, SystemClock.now())).await;
    // A clock that is ahead of the server's: what counts is how long it took.
    if let Some(theirs) = run.as_ref().err().and_then(clock_of_who_refused_the_start) {
        run = create(client, agent_id, name, start(parsed, theirs)).await;
    }
    let run = run.context("the run cannot be created")?;
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

async fn create(client: &ApiClient, agent_id: &str, name: &str, started_at: Timestamp) -> anyhow::Result<Value> {
    client.post("/runs", &json!({"agent_id": agent_id, "name": name, "started_at": started_at.to_string()})).await
}

fn clock_of_who_refused_the_start(error: &anyhow::Error) -> Option<Timestamp> {
    let refusal = error.downcast_ref::<Refusal>()?;
    refusal.at.filter(|_| refusal.body["details"]["field"] == "started_at")
}

fn start(parsed: &Parsed, now: Timestamp) -> Timestamp {
    let took = SignedDuration::try_from(parsed.duration.min(LONGEST_RUN)).unwrap_or(SignedDuration::ZERO);
    now.saturating_sub(took).unwrap_or(now)
}

fn portions(results: &[ScenarioResult]) -> Vec<&[ScenarioResult]> {
    let mut portions = Vec::new();
    let (mut first, mut bytes) = (0, 0);
    for (index, result) in results.iter().enumerate() {
        let size = size(result);
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

    fn parsed(cases: impl IntoIterator<Item = Case>) -> Parsed {
        let mut parsed = Parsed::default();
        cases.into_iter().for_each(|case| parsed.push(ScenarioStatus::Failed, case));
        parsed
    }

    #[test]
    fn what_does_not_fit_a_run_or_a_call_is_refused_as_a_whole() {
        let mut many = parsed([Case::default()]);
        many.results = vec![many.results[0].clone(); MAX_SCENARIOS as usize];
        assert!(check(&many).is_ok());
        many.results.push(many.results[0].clone());
        assert!(check(&many).is_err());
        let with_transcript =
            |size: usize| Case { name: "7".into(), transcript: Some("x".repeat(size).into()), ..Case::default() };
        assert!(check(&parsed([with_transcript(LARGEST_RESULT - 1000)])).is_ok());
        let error = check(&parsed([with_transcript(LARGEST_RESULT)])).unwrap_err().to_string();
        assert!(error.contains("\"7\"") && error.contains("15 MiB"), "{error}");
    }

    #[test]
    fn portions_keep_the_order_lose_nothing_and_fit_a_call() {
        let parsed = parsed((0..2500).map(|index| {
            let error = (index % 10 == 0).then(|| "x".repeat(60_000));
            Case { name: index.to_string(), error, ..Case::default() }
        }));
        let portions = portions(&parsed.results);
        assert_eq!(portions.concat(), parsed.results);
        for portion in portions {
            assert!(portion.len() <= MOST_RESULTS && serde_json::to_vec(portion).unwrap().len() < 2 * MOST_BYTES);
        }
    }
}
