//! `bench`: measures the product beside the same work without a store, and beside other senders, in one run, on one machine.
//!
//! What is compared runs in the same round against the same sink, so that what counts are ratios. The sink verifies every
//! signature and knows every duplicate: a measurement in which a webhook was lost, repeated or forged has no result.
//!
//! Left out on purpose: a verdict by exit status. A goal that is not met is shown, and is no error.

mod backlog;
mod building;
mod client;
mod copies;
mod everything;
mod figures;
mod ground;
mod hanging;
mod history;
mod idle;
mod latency;
mod load;
mod machine;
mod options;
mod originals;
mod pending;
mod plan;
mod process;
mod product;
mod quiet;
mod relay;
mod report;
mod room;
mod sample;
mod senders;
mod sink;
mod speed;
mod stage;
mod system;
mod terminal;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, bail, ensure};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::{everything::Page, options::Options, terminal::say_aside};

/// Measures the release binary on both stores beside the same work without a store: speed, latency, memory, long queues and histories
#[derive(Parser)]
#[command(max_term_width = 100, args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    options: Options,
}

/// The processes around what is measured.
#[derive(Subcommand)]
enum Role {
    #[command(hide = true)]
    Sink {
        #[arg(long)]
        sender: Option<String>,
    },
    #[command(hide = true)]
    Relay {
        #[arg(long)]
        to: String,
        #[arg(long)]
        key: String,
    },
    #[command(hide = true)]
    Naive {
        #[arg(long)]
        to: String,
        #[arg(long)]
        file: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let CommandLine { role, options } = CommandLine::parse();
    let outcome = match role {
        None => until_interrupted(measure(options)).await,
        Some(role) => tokio::select! {
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

async fn play(role: Role) -> anyhow::Result<()> {
    let (listener, secret) = (process::listen().await?, sample::secret()?);
    process::announce(&listener)?;
    match role {
        Role::Sink { sender: None } => sink::serve(listener, sink::of_product(), Some(sample::SECRET)).await,
        Role::Sink { sender: Some(name) } => {
            let sender = senders::named(&name)?;
            sink::serve(listener, Box::new(move |secret| sender.verifier(secret)), None).await
        }
        Role::Relay { to, key } => relay::serve(listener, to, &key, secret).await,
        Role::Naive { to, file } => senders::serve_naive(listener, to, &file, secret).await,
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
    let page = options.write.as_deref().map(Page::at).transpose()?;
    rlimit::increase_nofile_limit(u64::MAX)?;
    let scratch = std::env::current_exe()?.parent().context("a program without a folder")?.to_owned();
    let plan = options.plan(scratch)?;
    room::must_suffice(&plan, &options.parts())?;
    let server = match &options.server {
        Some(server) => server.clone(),
        None => building::build(&plan.scratch).await?,
    };
    let plan = plan::Plan { server, ..plan };
    everything::measure(&plan, &options.parts(), options.patience(), options.command(), page).await
}
