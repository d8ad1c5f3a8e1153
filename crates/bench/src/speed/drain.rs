//! The backlog: deliveries that wait, and a server that has just started.

use std::time::Instant;

use super::Throughput;
use crate::{
    backlog,
    ground::{Ground, Store},
    plan::Plan,
    product::Product,
    stage::Sink,
};

/// From the start of the process until the last webhook is received and the history shows nothing pending.
pub(super) async fn measure(plan: &Plan, store: Store) -> anyhow::Result<Throughput> {
    let (sink, ground, count) = (Sink::start().await?, Ground::new(store, &plan.scratch).await?, plan.sizes.backlog);
    let product = Product::create(&plan.server, &ground, plan.connections).await?;
    let webhook = backlog::build(&product, store, &sink, count, plan.connections).await?;

    let started = Instant::now();
    let serving = product.serve().await?;
    sink.all(count).await?;
    serving.nothing_pending(&webhook).await?;
    let took = started.elapsed();

    let spent = serving.server.processor_time();
    serving.check_history(&webhook, count).await?;
    sink.all(count).await?;
    serving.server.kill().await?;
    sink.end().await?;
    ground.end().await?;
    Ok(Throughput::of(count, took, spent))
}
