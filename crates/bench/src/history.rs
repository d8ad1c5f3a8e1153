//! A long history: how long lists take when there are millions of deliveries to find them in, and how fast completions are beside it.
//!
//! Real runs are completed first, so that every row is one that the product wrote; then the file is filled with copies of them.
//! What each question must be answered with is found by reading whole tables, without any index, before the server starts: a fast
//! wrong answer has no figure. Completions go in rounds, each beside an empty history and then beside the long one.

mod asking;
mod oracle;
mod questions;
mod report;

use std::time::Duration;

use rusqlite::Connection;

pub(crate) use self::report::report;
use self::{asking::Answers, questions::Question};
use crate::{
    copies::{self, Shape},
    ground::{Ground, Store},
    originals::{self, Owner},
    plan::Plan,
    product::{Product, Serving},
    quiet::Session,
    speed::{Throughput, completing},
    terminal::say_aside,
};

/// Beyond it something hangs.
const DEADLINE: Duration = Duration::from_mins(30);

/// What was found out.
#[derive(Debug, Default)]
pub(crate) struct Found {
    answers: Answers,
    /// The size of the file.
    bytes: Option<u64>,
    rounds: Vec<Round>,
}

/// Completions beside an empty history, and beside the long one.
#[derive(Debug)]
struct Round {
    beside_empty: Throughput,
    beside_long: Throughput,
}

/// Fills a file, asks everything, and completes runs beside it.
pub(crate) async fn measure(plan: &Plan, session: &mut Session, found: &mut Found) -> anyhow::Result<()> {
    session.within(DEADLINE);
    let (long, empty) = (Ground::new(Store::Sqlite, &plan.scratch).await?, Ground::new(Store::Sqlite, &plan.scratch).await?);
    let product = Product::create(&plan.server, &long, plan.connections).await?;
    say_aside("completing real runs");
    let owners = originals::complete(&product).await?;
    let (file, deliveries) = (long.file(), plan.sizes.history);
    let (bytes, questions) = tokio::task::spawn_blocking(move || fill(&file, deliveries, &owners)).await??;
    found.bytes = Some(bytes);
    found.answers = session.measure("lists of a long history", async || ask(&product, &questions).await).await?;

    let beside_nothing = Product::create(&plan.server, &empty, plan.connections).await?;
    originals::complete(&beside_nothing).await?;
    for number in 1..=plan.sizes.rounds {
        say_aside(format_args!("completions beside a long history, round {number} of {}", plan.sizes.rounds));
        let mut complete = async |what: &str, product: &Product| {
            session.measure(what, async || completing(product, plan.sizes.deliveries, plan.connections).await).await
        };
        let beside_empty = complete("beside an empty history", &beside_nothing).await?;
        let beside_long = complete("beside the long one", &product).await?;
        found.rounds.push(Round { beside_empty, beside_long });
    }
    long.end().await?;
    empty.end().await
}

fn fill(file: &std::path::Path, deliveries: u32, owners: &[Owner; 2]) -> anyhow::Result<(u64, Vec<Question>)> {
    say_aside(format_args!("filling up to {deliveries} deliveries"));
    let connection = Connection::open(file)?;
    copies::fill(&connection, deliveries, Shape::History)?;
    say_aside("finding out what the answers are");
    let questions = questions::all(&connection, owners)?;
    drop(connection);
    Ok((std::fs::metadata(file)?.len(), questions))
}

async fn ask(product: &Product, questions: &[Question]) -> anyhow::Result<Answers> {
    let Serving { server, api } = product.serve().await?;
    let answers = asking::all(&api, questions).await?;
    server.stop().await?;
    Ok(answers)
}
