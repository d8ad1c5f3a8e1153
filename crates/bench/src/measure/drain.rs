//! The backlog: deliveries that wait, and a server that has just started.
//!
//! The backlog comes about as it does in life: the receiver hangs, so that the engine's places fill up and everything beyond
//! them waits, and then the server is killed. Most of the backlog was never tried; what was under way when the server died has
//! to be taken over. Its repeated requests are no duplicates here: the sink gave no answer before, and forgets what it held.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::{Plan, Throughput, complete};
use crate::{product::Product, stage::Sink};

/// How long the backlog may take to come about: less than the timeout of the attempts that hang.
const SET_UP: Duration = Duration::from_secs(50);

/// From the start of the process until the last webhook is received and the history shows nothing pending.
pub(super) async fn measure(plan: &Plan) -> anyhow::Result<Throughput> {
    let (sink, folder) = (Sink::start().await?, plan.folder()?);
    let product = Product::create(&plan.server, folder.path(), plan.connections).await?;
    let serving = product.serve().await?;
    let runs = product.prepare(&serving.api, &sink.url(), plan.deliveries).await?;
    sink.hold().await?;
    let began = Instant::now();
    complete(&serving.api, runs, plan.connections).await?;
    ensure!(began.elapsed() < SET_UP, "the backlog took so long that its first attempts may have timed out");
    serving.server.kill().await?;
    let stats = sink.stats().await?;
    ensure!((stats.distinct, stats.held > 0) == (0, true), "the sink was to hold every request: {stats:?}");
    sink.forget().await?;

    let started = Instant::now();
    let serving = product.serve().await?;
    sink.all(plan.deliveries).await?;
    serving.nothing_pending().await?;
    let took = started.elapsed();

    let spent = serving.server.processor_time();
    serving.check_history(plan.deliveries).await?;
    sink.all(plan.deliveries).await?;
    serving.server.kill().await?;
    sink.end().await?;
    Ok(Throughput::of(plan.deliveries, took, spent))
}
