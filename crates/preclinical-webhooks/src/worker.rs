//! `worker`: sends what is due, beside processes that serve the API, until a signal asks for the end.

use anyhow::bail;
use clap::Args;

use crate::{
    config::{Config, Location, Overrides},
    database,
    delivering::{Delivering, Sends},
    log,
    serve::{SETTINGS, next_signal, until_stopped},
    terminal::say,
};

/// What `worker` can be told on the command line.
#[derive(Args)]
#[command(after_help = SETTINGS)]
pub(crate) struct WorkerArgs {
    /// Database that the nodes share: postgres://USER@HOST/DATABASE [env: PRECLINICAL_DATABASE_URL]
    #[arg(long)]
    database: Option<String>,
}

/// Sends until SIGINT or SIGTERM, then drains; a second signal does not wait for that.
pub(crate) async fn run(args: WorkerArgs) -> anyhow::Result<()> {
    let config = Config::load(Overrides { database: args.database, ..Overrides::default() })?;
    refuse_embedded(&config, "worker")?;
    log::start(config.log.clone());
    let store = database::serve(&config).await?;
    let public_url = config.base(config.listen);
    let (delivering, _) = Delivering::start(&store, &config, &public_url, Sends::WhatIsDue).await?;
    let signal = next_signal()?;
    say("sending what is due");
    signal.await?;
    until_stopped(async {
        delivering.stop().await;
        Ok(())
    })
    .await
}

/// One process serves the embedded store, so there would be nobody for the rest of the work.
pub(crate) fn refuse_embedded(config: &Config, what: &str) -> anyhow::Result<()> {
    if !matches!(config.database, Location::Server(_)) {
        bail!("{what} needs a database on PostgreSQL: one process alone serves a file of the embedded store");
    }
    Ok(())
}
