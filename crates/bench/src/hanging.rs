//! One healthy endpoint among thousands that hang.
//!
//! The healthy one is told of runs at a steady pace: alone, beside others that answer, and beside the same others once none of them
//! answers any more. The middle one tells what the others' mere load costs; what is left is what hanging does. That they were well
//! before makes it harder: nothing warns the engine.

mod others;
mod report;

use std::time::Duration;

use self::others::Others;
pub(crate) use self::report::report;
use crate::{
    ground::{Ground, Store},
    latency::{Latency, paced},
    plan::Plan,
    product::Product,
    quiet::Session,
    stage::Sink,
    terminal::say_aside,
};

/// Runs of the others that end, each second.
const OTHERS_A_SECOND: u32 = 100;

/// Beyond it something is wrong.
const DEADLINE: Duration = Duration::from_mins(10);

/// The deadline of attempts: the product's default.
const REQUEST_TIMEOUT: &str = "15s";

/// Connections of the load generator: as many as the pace asks for.
const CONNECTIONS: usize = 16;

/// Alone, beside others that answer, beside others that hang.
const SITUATIONS: usize = 3;

/// The healthy one's latency in each situation, and what the process in the middle had by the end.
#[derive(Debug)]
pub(crate) struct Round {
    alone: Latency,
    beside_answering: Latency,
    beside_hanging: Latency,
    /// Attempts at the others that were open at once, at most.
    most_open: usize,
    resident_mib: Option<f64>,
}

/// Measures all situations in each round.
pub(crate) async fn measure(plan: &Plan, session: &mut Session, rounds: &mut Vec<Round>) -> anyhow::Result<()> {
    session.within(DEADLINE);
    for number in 1..=plan.sizes.rounds {
        say_aside(format_args!("hanging, round {number} of {}", plan.sizes.rounds));
        rounds.push(session.measure("one healthy endpoint", async || one_round(plan).await).await?);
    }
    Ok(())
}

async fn one_round(plan: &Plan) -> anyhow::Result<Round> {
    let (sink, ground, count) =
        (Sink::start().await?, Ground::new(Store::Sqlite, &plan.scratch).await?, plan.sizes.of_healthy);
    let product = Product::create(&plan.server, &ground, CONNECTIONS).await?.with_request_timeout(REQUEST_TIMEOUT);
    let serving = product.serve().await?;
    let mut prepared = product.prepare(&serving.api, &sink.url(), count * SITUATIONS).await?;
    let others = Others::start(&serving.api, plan.sizes.endpoints).await?;
    let mut situation = async |name: &str| {
        let of_situation = prepared.runs.split_off(prepared.runs.len() - count);
        let latency = paced(&serving.api, of_situation, &sink).await?;
        say_aside(format_args!("    {name}: {latency}"));
        Ok::<_, anyhow::Error>(latency)
    };
    let alone = situation("alone").await?;
    let load = others.load(OTHERS_A_SECOND);
    let beside_answering = situation("beside others that answer").await?;
    others.hang();
    let beside_hanging = situation("beside others that hang").await?;
    load.end().await?;
    let (most_open, resident_mib) = (others.most_open(), serving.server.resident_mib());
    sink.all(count * SITUATIONS).await?;
    serving.server.kill().await?;
    sink.end().await?;
    ground.end().await?;
    Ok(Round { alone, beside_answering, beside_hanging, most_open, resident_mib })
}

impl Round {
    fn ratio(&self, of: Latency) -> f64 {
        of.from_sent[1] / self.alone.from_sent[1]
    }
}

impl std::fmt::Display for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (answering, hanging) = (self.ratio(self.beside_answering), self.ratio(self.beside_hanging));
        write!(f, "p99 beside others that answer {answering:.2} ×, that hang {hanging:.2} × of alone")
    }
}
