//! The product: completions in, everything on disk, signed webhooks out, every attempt recorded.

use std::time::Instant;

use super::{Throughput, complete};
use crate::{
    ground::{Ground, Store},
    plan::Plan,
    product::Product,
    stage::Sink,
};

/// On a new database.
pub(super) async fn measure(plan: &Plan, store: Store) -> anyhow::Result<Throughput> {
    let ground = Ground::new(store, &plan.scratch).await?;
    let product = Product::create(&plan.server, &ground, plan.connections).await?;
    let throughput = completing(&product, plan.sizes.deliveries, plan.connections).await?;
    ground.end().await?;
    Ok(throughput)
}

/// Completes runs of a new agent with a webhook of its own: from the first completion sent until the last webhook is received and the
/// history shows nothing pending.
pub(crate) async fn completing(product: &Product, count: usize, connections: usize) -> anyhow::Result<Throughput> {
    let (sink, serving) = (Sink::start().await?, product.serve().await?);
    let prepared = product.prepare(&serving.api, &sink.url(), count).await?;
    let spent_before = serving.server.processor_time();

    let started = Instant::now();
    complete(&serving.api, prepared.runs, connections).await?;
    sink.all(count).await?;
    serving.nothing_pending(&prepared.webhook).await?;
    let took = started.elapsed();

    let spent = serving.server.processor_time().zip(spent_before).map(|(after, before)| after.saturating_sub(before));
    serving.check_history(&prepared.webhook, count).await?;
    sink.all(count).await?;
    serving.server.kill().await?;
    sink.end().await?;
    Ok(Throughput::of(count, took, spent))
}
