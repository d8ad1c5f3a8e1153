//! `backup`: a copy of the embedded database, also while a server runs on it.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use preclinical_store_sqlite::back_up;

use crate::{
    config::{Config, Location, Overrides},
    terminal::{say, say_aside},
};

/// What is copied where.
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct BackupArgs {
    /// File that the copy becomes; there must be none of that name
    to: PathBuf,
    /// Database: a path or sqlite:PATH [default: a file in the platform's data folder] [env: PRECLINICAL_DATABASE_URL]
    #[arg(long)]
    database: Option<String>,
}

const HELP: &str =
    "To restore, stop the server and put the copy in the place of the database, without its -wal and -shm files.
Secrets in it open only with the master key, which is no part of the copy. A database on PostgreSQL is copied by pg_dump.

Examples:
  preclinical-webhooks backup /backups/webhooks-$(date +%F).db";

pub(crate) async fn run(args: BackupArgs) -> anyhow::Result<()> {
    let config = Config::load(Overrides { database: args.database, ..Overrides::default() })?;
    let (Location::Default(database) | Location::File(database)) = config.database else {
        bail!("a database on PostgreSQL is copied by pg_dump, or as your provider does it");
    };
    if !database.is_file() {
        bail!("there is no database {}", database.display());
    }
    let to = args.to.clone();
    tokio::task::spawn_blocking(move || back_up(&database, &to)).await?.context("no backup was made")?;
    say(args.to.display());
    say_aside("secrets in it open only with the master key of the database: keep that, too, and elsewhere");
    Ok(())
}
