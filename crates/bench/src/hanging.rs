//! One healthy endpoint among thousands that hang.
//!
//! The healthy one is told of runs at a steady pace: alone, beside others that answer, and beside the same others once none of them
//! answers any more. The middle one tells what the others' mere load costs; what is left is what hanging does. That they were well
//! before makes it harder: nothing warns the engine.

mod others;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, ensure};
use clap::Args;
use preclinical_testkit::document::Document;
use tempfile::TempDir;

use self::others::Others;
use crate::{
    figures::Spread,
    machine::Machine,
    measure::{Latency, paced},
    product::{Product, Serving},
    quiet::Session,
    stage::Sink,
    table::verdict,
    terminal::{say, say_aside},
};

/// The part of the document with this measurement.
const HANGING: &str = "measured hanging";

/// Runs of the others that end, each second.
const OTHERS_A_SECOND: u32 = 100;

/// How many times its latency alone the healthy one's may be.
const GOAL: f64 = 2.0;

/// Beyond it something is wrong.
const DEADLINE: Duration = Duration::from_mins(10);

/// The deadline of attempts: the product's default.
const REQUEST_TIMEOUT: &str = "15s";

#[derive(Args)]
pub(crate) struct Options {
    /// Endpoints beside the healthy one
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    endpoints: u32,
    /// Runs of the healthy one in each situation, 20 a second
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(20..=10_000))]
    runs: u32,
    /// Rounds of all situations
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// How long to wait for a quiet machine, in seconds
    #[arg(long, default_value_t = 60)]
    patience: u32,
    /// Measure this binary instead of building one
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Also write the table between its two comments of this document
    #[arg(long, value_name = "PATH")]
    write: Option<PathBuf>,
}

/// The healthy one's latency in each situation, and what the process in the middle had by the end.
#[derive(Debug)]
struct Round {
    alone: Latency,
    beside_answering: Latency,
    beside_hanging: Latency,
    /// Attempts at the others that were open at once, at most.
    most_open: usize,
    resident_mib: Option<f64>,
}

/// Measures and prints.
pub(crate) async fn measure(options: Options) -> anyhow::Result<()> {
    ensure!(!cfg!(debug_assertions), "a debug build measures itself: cargo run --release -p bench -- hanging");
    let document = options.write.as_deref().map(|path| Document::read(path, HANGING)).transpose()?;
    rlimit::increase_nofile_limit(u64::MAX)?;
    let scratch = std::env::current_exe()?.parent().context("a program without a folder")?.to_owned();
    let server = match &options.server {
        Some(server) => server.clone(),
        None => crate::build(&scratch).await?,
    };
    let mut session = Session::new(DEADLINE, Duration::from_secs(options.patience.into()));
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        say_aside(format_args!("round {number} of {}", options.rounds));
        let folder = || tempfile::Builder::new().prefix("bench-").tempdir_in(&scratch);
        let round = session.measure("one healthy endpoint", async || one_round(&options, &server, folder()?).await);
        rounds.push(round.await?);
    }
    let quiet = if session.disturbed == 0 { "Nothing else was running." } else { "**Something else was running.**" };
    let result = format!(
        "{}\n{} rounds; {} endpoints beside the healthy one, {OTHERS_A_SECOND} of their runs a second; {} runs of the healthy one in \
         each situation, 20 a second; attempts given up after {REQUEST_TIMEOUT}; version {}. {quiet}\n\nMachine: {}.",
        table(&rounds),
        options.rounds,
        options.endpoints,
        options.runs,
        env!("CARGO_PKG_VERSION"),
        Machine::this(&scratch),
    );
    say(&result);
    document.map_or(Ok(()), |document| document.write(&result))?;
    Ok(())
}

async fn one_round(options: &Options, server: &std::path::Path, folder: TempDir) -> anyhow::Result<Round> {
    let sink = Sink::start().await?;
    let product = Product::create(server, folder.path(), 16).await?.with_request_timeout(REQUEST_TIMEOUT);
    let serving = product.serve().await?;
    let situations = 3;
    let mut runs = product.prepare(&serving.api, &sink.url(), (options.runs * situations) as usize).await?;
    let others = Others::start(&serving.api, options.endpoints).await?;
    let mut situation = async |name: &str| {
        let of_situation = runs.split_off(runs.len() - options.runs as usize);
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
    all_arrived(&sink, options.runs * situations, serving).await?;
    Ok(Round { alone, beside_answering, beside_hanging, most_open, resident_mib })
}

async fn all_arrived(sink: &Sink, expected: u32, serving: Serving) -> anyhow::Result<()> {
    sink.all(expected as usize).await?;
    serving.server.kill().await
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

type Situation = fn(&Round) -> Latency;

fn table(rounds: &[Round]) -> String {
    let spread = |value: &dyn Fn(&Round) -> f64| Spread::of(rounds.iter().map(value));
    let row = |what: &str, unit: &str, goal: &str, value: &dyn Fn(&Round) -> f64| {
        let Spread { median, min, max } = spread(value);
        format!("| {what} | {median:.2} {unit} | {min:.2} to {max:.2} | {goal} |\n")
    };
    let mut table =
        "| the healthy endpoint, from the completion sent to the first byte | median | lowest to highest round | goal |\n\
         | --- | ---: | ---: | --- |\n"
            .to_owned();
    let situations: [(&str, Situation); 3] = [
        ("alone", |round| round.alone),
        ("beside others that answer", |round| round.beside_answering),
        ("beside others that hang", |round| round.beside_hanging),
    ];
    for (index, percentile) in ["p50", "p99"].into_iter().enumerate() {
        for (name, latency) in situations {
            table += &row(&format!("{percentile} {name}"), "ms", "", &|round| latency(round).from_sent[index]);
        }
    }
    table += &row("p99 beside others that answer / alone", "×", "", &|round| round.ratio(round.beside_answering));
    let median = spread(&|round| round.ratio(round.beside_hanging)).median;
    let goal = format!("≤ {GOAL} ×: {}", verdict(median <= GOAL));
    table += &row("**p99 beside others that hang / alone**", "×", &goal, &|round| round.ratio(round.beside_hanging));
    #[expect(clippy::cast_precision_loss, reason = "places are a few thousand")]
    let most_open = |round: &Round| round.most_open as f64;
    table += &row("attempts at the others open at once, at most", "", "", &most_open);
    table + &row("memory of the server after that", "MiB", "", &|round| round.resident_mib.unwrap_or(f64::NAN))
}
