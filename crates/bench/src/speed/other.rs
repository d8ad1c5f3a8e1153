//! Another sender: events in, signed webhooks out, by its driver.

use preclinical_core::id::RunId;

use super::{Throughput, between};
use crate::{
    client::HttpClient,
    ground::{Ground, Store},
    load,
    plan::Plan,
    process::Server,
    sample,
    senders::Sender,
    stage::Sink,
    system,
};

/// From the first event sent to the last webhook received.
pub(super) async fn measure(plan: &Plan, sender: &dyn Sender) -> anyhow::Result<Throughput> {
    let ground = Ground::new(Store::Sqlite, &plan.scratch).await?;
    let sink = Sink::start_for(sender.name()).await?;
    let started = sender.start(ground.folder(), &sink.url()).await?;
    sink.expect_secret(&started.secret).await?;
    let runs: Vec<RunId> = (0..plan.sizes.deliveries).map(|_| sample::run_id()).collect();
    let (client, count) = (HttpClient::new(plan.connections), runs.len());
    let events = runs.iter().map(|run| sender.event(&started, *run)).collect::<anyhow::Result<Vec<_>>>()?;
    let spent_before = started.server.as_ref().and_then(Server::processor_time);

    let began = system::now_us();
    load::closed(count, plan.connections, move |index| {
        let (client, event) = (client.clone(), events[index].clone());
        async move { client.exchange(event).await.map(drop) }
    })
    .await?;
    let stats = sink.all(count).await?;
    let took = between(began, stats.last_us);

    let spent = started.server.as_ref().and_then(Server::processor_time).zip(spent_before);
    let spent = spent.map(|(after, before)| after.saturating_sub(before));
    started.end().await?;
    sink.end().await?;
    ground.end().await?;
    Ok(Throughput::of(count, took, spent))
}
