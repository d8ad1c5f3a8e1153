//! A backlog: deliveries that are due and wait, and nobody who sends them.
//!
//! On the embedded store it comes about as it does in life: the receiver hangs, so that as many attempts are under way as a webhook
//! may have, and everything beyond them waits; then the server is killed. Most of the backlog was never tried; what was under way
//! when the server died has to be taken over. Its repeated requests are no duplicates: the sink gave no answer before, and forgets
//! what it held. On PostgreSQL, where it would take seconds to know that the dead server is dead, a server that leaves deliveries to
//! others takes the completions, and is then told to end.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::{
    ground::Store,
    product::{Product, Serving},
    speed::complete,
    stage::Sink,
};

/// How long a stage may take: less than the timeout of the attempts that hang.
const STAGE: Duration = Duration::from_secs(50);

/// Runs that are completed before the server is killed, so that a stage does not take longer than that.
const RUNS_OF_A_STAGE: usize = 20_000;

/// Completes `count` runs of a new agent, whose webhook's id is returned; no server runs afterwards, and the sink answers again.
pub(crate) async fn build(
    product: &Product,
    store: Store,
    sink: &Sink,
    count: usize,
    connections: usize,
) -> anyhow::Result<String> {
    match store {
        Store::Sqlite => against_a_receiver_that_hangs(product, sink, count, connections).await,
        Store::Postgres => {
            let Serving { server, api } = product.serve_without_delivery().await?;
            let prepared = product.prepare(&api, &sink.url(), count).await?;
            complete(&api, prepared.runs, connections).await?;
            server.stop().await?;
            let stats = sink.stats().await?;
            ensure!(stats.distinct == 0, "something was delivered by a server that leaves that to others: {stats:?}");
            Ok(prepared.webhook)
        }
    }
}

async fn against_a_receiver_that_hangs(
    product: &Product,
    sink: &Sink,
    count: usize,
    connections: usize,
) -> anyhow::Result<String> {
    let mut serving = product.serve().await?;
    let prepared = product.prepare(&serving.api, &sink.url(), count).await?;
    sink.hold().await?;
    let mut stages = prepared.runs.chunks(RUNS_OF_A_STAGE).peekable();
    while let Some(runs) = stages.next() {
        let began = Instant::now();
        complete(&serving.api, runs.to_vec(), connections).await?;
        ensure!(began.elapsed() < STAGE, "the backlog took so long that its first attempts may have timed out");
        serving.server.kill().await?;
        if stages.peek().is_none() {
            break;
        }
        serving = product.serve().await?;
    }
    let stats = sink.stats().await?;
    ensure!((stats.distinct, stats.held > 0) == (0, true), "the sink was to hold every request: {stats:?}");
    sink.forget().await?;
    Ok(prepared.webhook)
}
