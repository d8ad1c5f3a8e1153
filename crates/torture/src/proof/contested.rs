//! Many callers end the same run at once.

use std::collections::BTreeSet;

use anyhow::Context;
use http::{Method, StatusCode};
use serde_json::json;
use tokio::task::JoinSet;

use super::{Load, in_time};
use crate::{
    api::{Answer, Api},
    checker, history,
    node::Node,
    outcome::Outcome,
    producer,
    sink::{self, Manner, Sink},
    site::{Ground, Site, Store},
};

/// Has every run completed and canceled at once over all connections, on all nodes that the store can have.
///
/// One caller succeeds, all others hear that the run is final, and one event tells of it.
pub async fn contested(ground: &Ground, load: Load) -> anyhow::Result<Outcome> {
    let site = Site::create(ground, &[]).await?;
    let (sink, api) = (Sink::start(Manner::Good).await?, site.api());
    let mut nodes = vec![site.start().await?];
    if ground.store == Store::Postgres {
        nodes.push(site.spawn("other")?.ready().await?);
    }
    let runs = api.prepare(&nodes[0].url, &sink.url, sink::SECRET, load.completions).await?;
    let mut asked = producer::Book::default();
    for run in &runs {
        let answers = contest(&api, &nodes, run, load.connections).await?;
        let won = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
        let lost = answers.iter().filter(|answer| answer.body["code"] == "INVALID_STATE").count();
        if (won, lost) != (1, load.connections - 1) {
            asked.wrong.push(format!("{run}: {won} callers succeeded, {lost} heard that it is final: {answers:?}"));
        }
    }
    let runs: BTreeSet<String> = runs.into_iter().collect();
    let asked = producer::Book { asked: runs.clone(), accepted: runs, ..asked };
    let node = nodes.first().context("no node")?;
    in_time("deliveries", history::until_settled(&api, &node.url)).await?;
    let findings = checker::check(&asked, &sink.book(), &history::read(&api, &node.url).await?);
    let did = format!("{} runs ended by {} callers each, nodes: {}", load.completions, load.connections, nodes.len());
    let mut outcome = Outcome::of("race to end a run", ground.store, did, findings).without_duplicates();
    if !outcome.holds() {
        outcome.files = Some(site.keep());
    }
    Ok(outcome)
}

async fn contest(api: &Api, nodes: &[Node], run: &str, callers: usize) -> anyhow::Result<Vec<Answer>> {
    let mut calls = JoinSet::new();
    for caller in 0..callers {
        let (api, node) = (api.clone(), nodes[caller % nodes.len()].url.clone());
        let path = format!("/runs/{run}/{}", if (caller / 2).is_multiple_of(2) { "complete" } else { "cancel" });
        calls.spawn(async move { api.call(&node, Method::POST, &path, Some(&json!({}))).await });
    }
    calls.join_all().await.into_iter().collect()
}
