//! The relay: completions in, signed webhooks out, nothing stored.

use super::{Throughput, between, complete};
use crate::{
    plan::Plan,
    sample,
    stage::{self, Sink},
    system,
};

/// From the first completion sent to the last webhook received.
pub(super) async fn measure(plan: &Plan) -> anyhow::Result<Throughput> {
    let sink = Sink::start().await?;
    let (relay, api) = stage::relay(&sink, plan.connections).await?;
    let runs = (0..plan.sizes.deliveries).map(|_| sample::run_id().to_string()).collect();

    let started = system::now_us();
    complete(&api, runs, plan.connections).await?;
    let stats = sink.all(plan.sizes.deliveries).await?;
    let took = between(started, stats.last_us);

    let spent = relay.processor_time();
    relay.kill().await?;
    sink.end().await?;
    Ok(Throughput::of(plan.sizes.deliveries, took, spent))
}
