//! The product: completions in, everything on disk, signed webhooks out, every attempt recorded.

use std::time::Instant;

use super::{Plan, Throughput, complete};
use crate::{product::Product, stage::Sink};

/// From the first completion sent until the last webhook is received and the history shows nothing pending.
pub(super) async fn measure(plan: &Plan) -> anyhow::Result<Throughput> {
    let (sink, folder) = (Sink::start().await?, plan.folder()?);
    let product = Product::create(&plan.server, folder.path(), plan.connections).await?;
    let serving = product.serve().await?;
    let runs = product.prepare(&serving.api, &sink.url(), plan.deliveries).await?;
    let spent_before = serving.server.processor_time();

    let started = Instant::now();
    complete(&serving.api, runs, plan.connections).await?;
    sink.all(plan.deliveries).await?;
    serving.nothing_pending().await?;
    let took = started.elapsed();

    let spent = serving.server.processor_time().zip(spent_before).map(|(after, before)| after.saturating_sub(before));
    serving.check_history(plan.deliveries).await?;
    sink.all(plan.deliveries).await?;
    serving.server.kill().await?;
    sink.end().await?;
    Ok(Throughput::of(plan.deliveries, took, spent))
}
