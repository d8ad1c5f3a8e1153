//! `cargo torture`: the long version of every proof, one after the other, and a table of what was found.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command")]

mod build;
mod machine;
mod plan;

use std::{path::PathBuf, process::ExitCode};

use anyhow::ensure;
use clap::Parser;
use jiff::Timestamp;
use preclinical_testkit::{document::Document, postgres::Durability};
use torture::{
    outcome::{Outcome, table},
    proof,
    site::{Ground, Store},
};

use crate::plan::{Proof, Size};

/// The part of the document that holds the table.
const PART: &str = "measured torture";

/// Breaks what the product stands on while it works, and counts what was lost, repeated or kept from the history
#[derive(Parser)]
#[command(max_term_width = 100)]
struct CommandLine {
    /// Only these proofs [default: all that the store can be put to]
    #[arg(value_enum)]
    proofs: Vec<Proof>,
    /// What the product stands on, by commas
    #[arg(long, value_delimiter = ',', default_value = "sqlite")]
    store: Vec<Store>,
    /// A small run, to see that it works
    #[arg(long)]
    quick: bool,
    /// What every choice follows from [default: a new one, which is printed]
    #[arg(long)]
    seed: Option<u64>,
    /// Break this binary instead of building one
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Also write the table between the two comments of this document
    #[arg(long, value_name = "PATH")]
    write: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match proof::work_if_asked().await {
        Some(worked) => worked.map(|()| true),
        None => run(CommandLine::parse()).await,
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every guarantee holds.
async fn run(options: CommandLine) -> anyhow::Result<bool> {
    options.write.as_deref().map(|path| Document::read(path, PART)).transpose()?;
    let now = now();
    let binary = match options.server {
        Some(server) => server.canonicalize()?,
        None => build::product().await?,
    };
    let seed = options.seed.unwrap_or_else(|| u64::try_from(now.as_microsecond()).unwrap_or_default());
    let size = if options.quick { Size::Short } else { Size::Long };
    eprintln!("seed {seed}");
    let mut outcomes: Vec<Outcome> = Vec::new();
    for store in options.store {
        let durability = if options.quick { Durability::None } else { Durability::Full };
        let ground = Ground { binary: binary.clone(), store, durability, seed };
        for proof in Proof::of(store).filter(|proof| options.proofs.is_empty() || options.proofs.contains(proof)) {
            eprintln!("{} on {} …", proof.name(), store.as_str());
            let outcome = proof.run(&ground, size).await?;
            outcome.broken.iter().take(20).for_each(|line| eprintln!("  {line}"));
            outcome.files.iter().for_each(|files| eprintln!("  see {}", files.display()));
            outcomes.push(outcome);
        }
    }
    ensure!(!outcomes.is_empty(), "none of these proofs can be put to that store");
    let day = now.strftime("%Y-%m-%d");
    let circumstances = format!("{day}, seed {seed}, version {}; {}.", env!("CARGO_PKG_VERSION"), machine::describe());
    let result = format!("{}\n{circumstances}", table(&outcomes));
    println!("{result}");
    // Read anew: people may have written in it meanwhile.
    options.write.as_deref().map_or(Ok(()), |path| Document::read(path, PART)?.write(&result))?;
    Ok(outcomes.iter().all(Outcome::holds))
}

#[expect(clippy::disallowed_methods, reason = "the day of the run, and a seed for whoever gave none")]
fn now() -> Timestamp {
    Timestamp::now()
}
