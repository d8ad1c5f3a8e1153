//! `bench`: measures the product beside the same work without a store, in one run, on one machine.
//!
//! What is compared runs in the same round against the same sink, so that what counts are ratios. The sink verifies every
//! signature and knows every duplicate: a measurement in which a webhook was lost, repeated or forged has no result.
//!
//! Left out on purpose: a verdict by exit status. A goal that is not met is shown, and is no error.

mod client;
mod disk;
mod figures;
mod hanging;
mod history;
mod load;
mod machine;
mod measure;
mod process;
mod product;
mod quiet;
mod relay;
mod sample;
mod sink;
mod stage;
mod system;
mod table;
mod terminal;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use clap::{Args, Parser, Subcommand};
use preclinical_testkit::document::Document;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    machine::Machine,
    measure::Plan,
    quiet::Session,
    terminal::{say, say_aside},
};

/// The part of the document with the throughput and latency.
const THROUGHPUT: &str = "measured";

const BUILD: [&str; 4] = ["build", "--release", "-p", "preclinical-webhooks"];

/// Measures deliveries a second and latency of the release binary, as ratios to the same work without a store
#[derive(Parser)]
#[command(max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    options: Options,
}

#[derive(Args)]
struct Options {
    /// Webhooks per measurement [default: 20000, or 2000 with --quick]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    deliveries: Option<u32>,
    /// Rounds of all measurements [default: 3, or 1 with --quick]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: Option<u32>,
    /// Connections of the load generator
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    connections: u32,
    /// A small run, to see that it works
    #[arg(long)]
    quick: bool,
    /// How long to wait for a quiet machine before each measurement, in seconds
    #[arg(long, default_value_t = 600)]
    patience: u32,
    /// Measure this binary instead of building one
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Also write the table between the two comments of this document
    #[arg(long, value_name = "PATH")]
    write: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Task {
    /// Measures how long lists take in a long history
    History(history::Options),
    /// Measures a healthy endpoint beside thousands that hang
    Hanging(hanging::Options),
    #[command(flatten)]
    Part(Role),
}

#[derive(Subcommand)]
enum Role {
    #[command(hide = true)]
    Sink,
    #[command(hide = true)]
    Relay {
        #[arg(long)]
        to: String,
        #[arg(long)]
        key: String,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let CommandLine { task, options } = CommandLine::parse();
    let outcome = match task {
        None => until_interrupted(measure(options)).await,
        Some(Task::History(options)) => until_interrupted(history::measure(options)).await,
        Some(Task::Hanging(options)) => until_interrupted(hanging::measure(options)).await,
        Some(Task::Part(role)) => tokio::select! {
            outcome = play(role) => outcome,
            () = process::orphaned() => Ok(()),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_aside(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// One of the processes around what is measured.
async fn play(role: Role) -> anyhow::Result<()> {
    let (listener, secret) = (process::listen().await?, sample::secret()?);
    process::announce(&listener)?;
    match role {
        Role::Sink => Ok(sink::serve(listener, secret).await?),
        Role::Relay { to, key } => relay::serve(listener, to, &key, secret).await,
    }
}

/// Dropping the work on a signal ends the processes that it started.
async fn until_interrupted(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        outcome = work => outcome,
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    }
}

async fn measure(options: Options) -> anyhow::Result<()> {
    ensure!(!cfg!(debug_assertions), "a debug build measures itself: cargo run --release -p bench");
    let document = options.write.as_deref().map(|path| Document::read(path, THROUGHPUT)).transpose()?;
    let scratch = std::env::current_exe()?.parent().context("a program without a folder")?.to_owned();
    let server = match options.server {
        Some(server) => server,
        None => build(&scratch).await?,
    };
    let small = options.quick;
    let deliveries = options.deliveries.unwrap_or(if small { 2000 } else { 20_000 });
    let rounds = options.rounds.unwrap_or(if small { 1 } else { 3 });
    let plan = Plan {
        deliveries: deliveries as usize,
        connections: options.connections as usize,
        paced_runs: if small { 60 } else { 200 },
        server,
        scratch,
    };
    let deadline = Duration::from_mins(2) + Duration::from_millis(5) * deliveries;
    let mut session = Session::new(deadline, Duration::from_secs(options.patience.into()));
    let mut figures = Vec::new();
    for round in 1..=rounds {
        say_aside(format_args!("round {round} of {rounds}"));
        figures.push(plan.round(&mut session).await?);
    }
    let result = format!("{}\n{}", table::render(&figures), circumstances(&plan, rounds, &session));
    say(&result);
    document.map_or(Ok(()), |document| document.write(&result))?;
    Ok(())
}

fn circumstances(plan: &Plan, rounds: u32, session: &Session) -> String {
    let quiet = match session.disturbed {
        0 => "Nothing else was running.".to_owned(),
        disturbed => format!("**During {disturbed} of {} measurements something else was running.**", session.measured),
    };
    format!(
        "{rounds} rounds of {} webhooks over {} connections, {} paced runs; version {}. {quiet}\n\nMachine: {}.",
        plan.deliveries,
        plan.connections,
        plan.paced_runs,
        env!("CARGO_PKG_VERSION"),
        Machine::this(&plan.scratch),
    )
}

/// Builds the product with the cargo that runs us, beside this program.
async fn build(beside: &Path) -> anyhow::Result<PathBuf> {
    let name = format!("preclinical-webhooks{}", std::env::consts::EXE_SUFFIX);
    let by_hand = format!("run `cargo {}`, then `bench --server PATH`", BUILD.join(" "));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = beside.parent().context("a program outside of a target folder")?;
    let status = tokio::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(BUILD)
        .arg("--target-dir")
        .arg(target)
        .current_dir(workspace)
        .kill_on_drop(true)
        .status()
        .await
        .with_context(|| format!("cargo cannot be started: {by_hand}"))?;
    let binary = beside.join(name);
    ensure!(status.success() && binary.is_file(), "the release binary could not be built: {by_hand}");
    Ok(binary)
}
