//! Webhooks a second: the product on both stores beside the same work without a store, and beside other senders. Each measurement
//! starts its own processes, on fresh state, and ends them.

mod bare_loop;
mod bare_relay;
mod drain;
mod end_to_end;
mod other;
mod report;

use std::{fmt, sync::Arc, time::Duration};

pub(crate) use self::{end_to_end::completing, report::report};
use crate::{client::Api, figures, ground::Store, load, plan::Plan, quiet::Session, terminal::say_aside};

/// How fast webhooks came through, and what the process in the middle spent on each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Throughput {
    pub(crate) per_second: f64,
    /// Processor time per webhook; `None` where the system does not tell.
    pub(crate) processor_us: Option<f64>,
}

/// The figures of one round.
#[derive(Debug)]
pub(crate) struct Round {
    bare_loop: Throughput,
    bare_relay: Throughput,
    stores: Vec<OnStore>,
    /// Those that could be measured, by their names.
    senders: Vec<(&'static str, Throughput)>,
}

#[derive(Debug)]
struct OnStore {
    store: Store,
    end_to_end: Throughput,
    drain: Throughput,
}

/// Measures everything once in each round.
pub(crate) async fn measure(plan: &Plan, session: &mut Session, rounds: &mut Vec<Round>) -> anyhow::Result<()> {
    let most = plan.sizes.deliveries.max(plan.sizes.backlog);
    session.within(Duration::from_mins(2) + Duration::from_millis(20) * u32::try_from(most)?);
    for number in 1..=plan.sizes.rounds {
        say_aside(format_args!("speed, round {number} of {}", plan.sizes.rounds));
        rounds.push(round(plan, session).await?);
    }
    Ok(())
}

async fn round(plan: &Plan, session: &mut Session) -> anyhow::Result<Round> {
    let bare_loop = session.measure("bare loop", async || bare_loop::measure(plan).await).await?;
    let bare_relay = session.measure("bare relay", async || bare_relay::measure(plan).await).await?;
    let mut stores = Vec::new();
    for &store in &plan.stores {
        let name = format!("end to end, {store}");
        let end_to_end = session.measure(&name, async || end_to_end::measure(plan, store).await).await?;
        let name = format!("backlog drain, {store}");
        let drain = session.measure(&name, async || drain::measure(plan, store).await).await?;
        stores.push(OnStore { store, end_to_end, drain });
    }
    let mut senders = Vec::new();
    for sender in &plan.senders {
        match session.measure(sender.name(), async || other::measure(plan, &**sender).await).await {
            Ok(throughput) => senders.push((sender.name(), throughput)),
            // What somebody else's program does is no reason to have no figures of ours.
            Err(error) => say_aside(format_args!("  not measured: {error:#}")),
        }
    }
    Ok(Round { bare_loop, bare_relay, stores, senders })
}

impl Throughput {
    fn of(count: usize, took: Duration, processor_time: Option<Duration>) -> Self {
        let processor_us = processor_time.map(|spent| 1_000_000.0 / figures::rate(count, spent));
        Self { per_second: figures::rate(count, took), processor_us }
    }
}

impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}/s", self.per_second)?;
        self.processor_us.map_or(Ok(()), |spent| write!(f, ", {spent:.0} µs of processor time each"))
    }
}

/// Completes all `runs` as fast as they are accepted.
pub(crate) async fn complete(api: &Api, runs: Vec<String>, connections: usize) -> anyhow::Result<()> {
    let api = api.clone();
    let count = runs.len();
    let runs = Arc::new(runs);
    load::closed(count, connections, move |index| {
        let (api, runs) = (api.clone(), Arc::clone(&runs));
        async move { api.complete(&runs[index]).await }
    })
    .await
}

/// Time since `started` on the clock that the processes share: until `us` microseconds after 1970.
fn between(started_us: i64, us: i64) -> Duration {
    Duration::from_micros(u64::try_from(us - started_us).unwrap_or(0))
}
