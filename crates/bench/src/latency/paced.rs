//! Completions at a steady pace, and when the sink hears of each.

use std::time::Duration;

use anyhow::Context;
use tokio::{task::JoinSet, time::MissedTickBehavior};
use uuid::Uuid;

use crate::{client::Api, figures, stage::Sink, system};

/// One completion every so often, whether or not the ones before it have ended: 20 a second.
pub(crate) const PACE: Duration = Duration::from_millis(50);

/// Percentiles of the way to the first byte at the sink, in milliseconds. Negative: the webhook was there first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Latency {
    /// From the 2xx received by whoever completed the run: median and 99th percentile.
    pub(crate) from_accepted: [f64; 2],
    /// From the completion sent; with the commit, that is.
    pub(crate) from_sent: [f64; 2],
}

struct Completion {
    run: Uuid,
    sent_us: i64,
    accepted_us: i64,
}

/// Completes these runs at a steady pace, until the sink was told of all of them.
pub(crate) async fn paced(api: &Api, runs: Vec<String>, sink: &Sink) -> anyhow::Result<Latency> {
    let (known, count) = (sink.stats().await?.distinct, runs.len());
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut completions = JoinSet::new();
    for run in runs {
        pace.tick().await;
        let api = api.clone();
        completions.spawn(async move {
            let sent_us = system::now_us();
            api.complete(&run).await?;
            Ok::<_, anyhow::Error>(Completion { run: run.parse()?, sent_us, accepted_us: system::now_us() })
        });
    }
    let completions = completions.join_all().await.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    sink.all(known + count).await?;
    let arrivals = sink.arrivals().await?;

    let mut ways = Vec::with_capacity(completions.len());
    for completion in completions {
        let arrived = arrivals.get(&completion.run).context("a run that the sink was not told of")?;
        ways.push([arrived - completion.accepted_us, arrived - completion.sent_us]);
    }
    Ok(Latency {
        from_accepted: percentiles(ways.iter().map(|way| way[0])),
        from_sent: percentiles(ways.iter().map(|way| way[1])),
    })
}

fn percentiles(us: impl Iterator<Item = i64>) -> [f64; 2] {
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a measurement are far below 2^52")]
    let mut ms: Vec<f64> = us.map(|us| us as f64 / 1000.0).collect();
    ms.sort_unstable_by(f64::total_cmp);
    [50, 99].map(|percent| figures::percentile(&ms, percent))
}

impl std::fmt::Display for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ([accepted, accepted_99], [sent, sent_99]) = (self.from_accepted, self.from_sent);
        write!(f, "p50 {accepted:.2} ms, p99 {accepted_99:.2} ms after the 2xx; {sent:.2} and {sent_99:.2} ms after sending")
    }
}
