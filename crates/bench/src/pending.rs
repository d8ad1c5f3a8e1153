//! Retries that wait: what a million of them do to whatever is due now, and to the server's memory.
//!
//! Two databases stand side by side: one is filled with retries none of which is due before a day has passed, the other has none. In
//! each round, on both: a backlog of due deliveries is claimed and sent, which every claim has to find among all that waits; then runs
//! are completed at a steady pace, each of which writes into the indexes of what waits. How long a claim takes cannot be seen from
//! outside; how long deliveries take that have to be claimed can, and is no less.

mod report;

use std::{fmt, time::Duration};

use anyhow::Context;
use rusqlite::Connection;

pub(crate) use self::report::report;
use crate::{
    backlog,
    copies::{self, Shape},
    figures::{ms, rate},
    ground::{Ground, Store},
    latency::{Latency, paced},
    originals,
    plan::Plan,
    product::Product,
    quiet::Session,
    stage::Sink,
    terminal::say_aside,
};

/// The figures of one round.
#[derive(Debug)]
pub(crate) struct Round {
    alone: Side,
    beside_waiting: Side,
}

/// One database in one round.
#[derive(Debug)]
struct Side {
    /// Due deliveries that were claimed and sent, a second: from the first to arrive to the last.
    claimed_per_second: f64,
    latency: Latency,
    ready_ms: f64,
    /// The most that the server held; `None` where the system does not tell.
    most_resident_mib: Option<f64>,
}

/// Fills one of two databases, and measures both in each round.
pub(crate) async fn measure(plan: &Plan, session: &mut Session, rounds: &mut Vec<Round>) -> anyhow::Result<()> {
    session.within(Duration::from_mins(10));
    let (ground, other_ground) =
        (Ground::new(Store::Sqlite, &plan.scratch).await?, Ground::new(Store::Sqlite, &plan.scratch).await?);
    let alone = Product::create(&plan.server, &ground, plan.connections).await?;
    let beside_waiting = Product::create(&plan.server, &other_ground, plan.connections).await?;
    for product in [&alone, &beside_waiting] {
        originals::complete(product).await?;
    }
    let (file, waiting) = (other_ground.file(), plan.sizes.pending);
    say_aside(format_args!("filling up to {waiting} retries that wait"));
    tokio::task::spawn_blocking(move || copies::fill(&Connection::open(file)?, waiting, Shape::Retries)).await??;
    for number in 1..=plan.sizes.rounds {
        say_aside(format_args!("retries that wait, round {number} of {}", plan.sizes.rounds));
        let alone = session.measure("an empty queue", async || side(plan, &alone).await).await?;
        let name = format!("beside {waiting} that wait");
        let beside_waiting = session.measure(&name, async || side(plan, &beside_waiting).await).await?;
        rounds.push(Round { alone, beside_waiting });
    }
    ground.end().await?;
    other_ground.end().await
}

async fn side(plan: &Plan, product: &Product) -> anyhow::Result<Side> {
    let (sink, claims, count) = (Sink::start().await?, plan.sizes.claims, plan.sizes.paced);
    let webhook = backlog::build(product, Store::Sqlite, &sink, claims, plan.connections).await?;
    let serving = product.serve().await?;
    sink.all(claims).await?;
    serving.nothing_pending(&webhook).await?;
    serving.check_history(&webhook, claims).await?;
    let claimed_per_second = between_arrivals(sink.arrivals().await?.into_values())?;

    let prepared = product.prepare(&serving.api, &sink.url(), count).await?;
    let latency = paced(&serving.api, prepared.runs, &sink).await?;
    serving.nothing_pending(&prepared.webhook).await?;
    serving.check_history(&prepared.webhook, count).await?;
    sink.all(claims + count).await?;
    let (ready_ms, most_resident_mib) = (ms(serving.server.ready_after), serving.server.most_resident_mib());
    serving.server.stop().await?;
    sink.end().await?;
    Ok(Side { claimed_per_second, latency, ready_ms, most_resident_mib })
}

/// How many a second came in after the first, of those that came in at these microseconds.
fn between_arrivals(arrivals: impl Iterator<Item = i64>) -> anyhow::Result<f64> {
    let arrivals: Vec<i64> = arrivals.collect();
    let first = arrivals.iter().min().context("nothing has arrived")?;
    let last = arrivals.iter().max().context("nothing has arrived")?;
    Ok(rate(arrivals.len() - 1, Duration::from_micros(last.abs_diff(*first).max(1))))
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} claimed/s, {}, ready after {:.0} ms", self.claimed_per_second, self.latency, self.ready_ms)?;
        self.most_resident_mib.map_or(Ok(()), |mib| write!(f, ", {mib:.1} MiB at most"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_arrival_starts_the_clock() {
        assert_eq!(between_arrivals([500_000, 0, 1_000_000].into_iter()).unwrap().to_string(), "2");
        assert!(between_arrivals(std::iter::empty()).is_err());
    }
}
