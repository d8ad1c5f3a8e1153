//! A long history: how long lists take when there are a million deliveries to find them in.
//!
//! Real runs are completed first, so that every row is one that the product wrote; then the file is filled with copies of them.
//! What each question must be answered with is found by reading whole tables, without any index, before the server starts: a fast
//! wrong answer has no figure.

mod asking;
mod filling;
mod oracle;
mod questions;
mod report;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, ensure};
use clap::Args;
use preclinical_testkit::document::Document;
use rusqlite::Connection;
use serde_json::json;

use self::{
    filling::{Filled, Owner},
    questions::Question,
};
use crate::{
    product::{Product, Serving},
    quiet::Session,
    sample,
    stage::Sink,
    terminal::{say, say_aside},
};

/// The part of the document with the lists of a long history.
const HISTORY: &str = "measured history";

/// Runs that are really completed, for each agent.
const REAL_RUNS: usize = 20;

/// Beyond it something hangs.
const DEADLINE: Duration = Duration::from_mins(10);

#[derive(Args)]
pub(crate) struct Options {
    /// Deliveries, each of a run of its own
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1000..=20_000_000))]
    deliveries: u32,
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

/// Measures and prints.
pub(crate) async fn measure(options: Options) -> anyhow::Result<()> {
    ensure!(!cfg!(debug_assertions), "a debug build measures itself: cargo run --release -p bench -- history");
    let document = options.write.as_deref().map(|path| Document::read(path, HISTORY)).transpose()?;
    let scratch = std::env::current_exe()?.parent().context("a program without a folder")?.to_owned();
    let server = match options.server {
        Some(server) => server,
        None => crate::build(&scratch).await?,
    };
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&scratch).context("there is no room for databases")?;
    let product = Product::create(&server, folder.path(), 1).await?;
    say_aside("completing real runs");
    let owners = complete_real_runs(&product).await?;
    let (database, deliveries) = (product.database(), options.deliveries);
    let (filled, questions) = tokio::task::spawn_blocking(move || fill(database, deliveries, &owners)).await??;
    let mut session = Session::new(DEADLINE, Duration::from_secs(options.patience.into()));
    let answers = session.measure("a long history", async || ask(&product, &questions).await).await?;
    let result = report::render(&filled, &answers, session.disturbed == 0, &scratch);
    say(&result);
    document.map_or(Ok(()), |document| document.write(&result))?;
    Ok(())
}

/// Two agents, one of which has a webhook of its own; the other's runs are heard of by the organization's.
async fn complete_real_runs(product: &Product) -> anyhow::Result<[Owner; 2]> {
    let (serving, sink) = (product.serve().await?, Sink::start().await?);
    let (api, secret) = (&serving.api, sample::secret()?);
    let mut owners = Vec::new();
    for (name, has_own) in [("Agent with a webhook", true), ("Agent without", false)] {
        let agent = api.create("/api/v1/agents", &json!({"provider": "openai", "name": name, "config": {}})).await?;
        let mut webhook = json!({"url": sink.url(), "secret": secret.expose()});
        if has_own {
            webhook["agent_id"] = json!(agent);
        }
        let webhook = api.create("/api/v1/webhooks", &webhook).await?;
        owners.push(Owner { agent: agent.parse()?, webhook: webhook.parse()? });
    }
    for owner in &owners {
        for _ in 0..REAL_RUNS {
            let run = api.create("/api/v1/runs", &json!({"agent_id": owner.agent, "name": sample::RUN_NAME})).await?;
            api.complete(&run).await?;
        }
    }
    sink.all(2 * REAL_RUNS).await?;
    serving.nothing_pending().await?;
    serving.check_history(2 * REAL_RUNS).await?;
    serving.server.stop().await?;
    sink.end().await?;
    owners.try_into().ok().context("two agents")
}

fn fill(database: PathBuf, deliveries: u32, owners: &[Owner; 2]) -> anyhow::Result<(Filled, Vec<Question>)> {
    say_aside(format_args!("filling up to {deliveries} deliveries"));
    let connection = Connection::open(&database)?;
    filling::fill(&connection, deliveries)?;
    say_aside("finding out what the answers are");
    let questions = questions::all(&connection, owners)?;
    drop(connection);
    let bytes = std::fs::metadata(database)?.len();
    Ok((Filled { deliveries, bytes }, questions))
}

async fn ask(product: &Product, questions: &[Question]) -> anyhow::Result<asking::Answers> {
    let Serving { server, api } = product.serve().await?;
    let answers = asking::all(&api, questions).await?;
    server.stop().await?;
    Ok(answers)
}
