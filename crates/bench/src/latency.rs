//! Latency: how long a webhook is on its way when there is little to do, and what a commit takes on the same disk.

mod commits;
mod paced;
mod report;

use std::time::Duration;

use self::commits::Commits;
pub(crate) use self::{
    paced::{Latency, paced},
    report::report,
};
use crate::{
    ground::{Ground, Store},
    plan::Plan,
    product::Product,
    quiet::Session,
    stage::Sink,
    terminal::say_aside,
};

/// The figures of one round.
#[derive(Debug)]
pub(crate) struct Round(Vec<OnStore>);

#[derive(Debug)]
struct OnStore {
    store: Store,
    commits: Commits,
    latency: Latency,
}

/// Measures both on each store, in each round.
pub(crate) async fn measure(plan: &Plan, session: &mut Session, rounds: &mut Vec<Round>) -> anyhow::Result<()> {
    session.within(Duration::from_mins(2) + paced::PACE * u32::try_from(plan.sizes.paced)?);
    for number in 1..=plan.sizes.rounds {
        say_aside(format_args!("latency, round {number} of {}", plan.sizes.rounds));
        let mut stores = Vec::new();
        for &store in &plan.stores {
            let name = format!("durable commits, {store}");
            let commits = session.measure(&name, async || commits::measure(store, &plan.scratch).await).await?;
            let latency = session.measure(&format!("latency, {store}"), async || at_a_pace(plan, store).await).await?;
            stores.push(OnStore { store, commits, latency });
        }
        rounds.push(Round(stores));
    }
    Ok(())
}

async fn at_a_pace(plan: &Plan, store: Store) -> anyhow::Result<Latency> {
    let (sink, ground, count) = (Sink::start().await?, Ground::new(store, &plan.scratch).await?, plan.sizes.paced);
    let product = Product::create(&plan.server, &ground, plan.connections).await?;
    let serving = product.serve().await?;
    let prepared = product.prepare(&serving.api, &sink.url(), count).await?;
    let latency = paced(&serving.api, prepared.runs, &sink).await?;
    sink.all(count).await?;
    serving.nothing_pending(&prepared.webhook).await?;
    serving.check_history(&prepared.webhook, count).await?;
    serving.server.kill().await?;
    sink.end().await?;
    ground.end().await?;
    Ok(latency)
}
