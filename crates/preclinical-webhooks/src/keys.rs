//! `keys`: API keys from the command line, for the first one and for scripts; also while a server runs on the same database.

mod create;
mod list;
mod revoke;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use preclinical_core::{
    api_key::ApiKey,
    id::OrganizationId,
    organization::DEFAULT_SLUG,
    port::{Store, every},
    slug::Slug,
};

pub(crate) use self::create::create_in;
use crate::{
    config::{Config, Overrides},
    database::{self, Database},
};

/// What can be done with keys.
#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Create a key; prints it, and nothing else, on standard output
    Create(create::CreateArgs),
    /// List the keys, newest first, also those that expired or were revoked
    List(list::ListArgs),
    /// Revoke a key at once
    Revoke(revoke::RevokeArgs),
}

/// Whose keys, and where they are kept.
#[derive(Args)]
struct Place {
    /// Organization the key belongs to
    #[arg(long, default_value = DEFAULT_SLUG, value_name = "SLUG")]
    organization: Slug,
    /// Database: a path, sqlite:PATH or postgres://… [default: a file in the platform's data folder] [env: PRECLINICAL_DATABASE_URL]
    #[arg(long)]
    database: Option<String>,
}

impl Place {
    /// In a database that is created if it is missing.
    async fn open(self) -> anyhow::Result<(Database, OrganizationId)> {
        let config = Config::load(Overrides { database: self.database, ..Overrides::default() })?;
        database::join_as(&config, &self.organization).await
    }

    /// In a database that must be there.
    async fn find(self) -> anyhow::Result<(Database, OrganizationId)> {
        let config = Config::load(Overrides { database: self.database, ..Overrides::default() })?;
        database::existing_as(&config, &self.organization).await
    }
}

/// Carries out what was asked.
pub(crate) async fn run(command: KeysCommand) -> anyhow::Result<()> {
    match command {
        KeysCommand::Create(args) => create::run(args).await,
        KeysCommand::List(args) => list::run(args).await,
        KeysCommand::Revoke(args) => revoke::run(args).await,
    }
}

/// All keys of the organization, newest first.
async fn all(store: &dyn Store, organization: OrganizationId) -> anyhow::Result<Vec<ApiKey>> {
    Ok(every(|page| store.keys(organization, page)).await?)
}

/// Whether a key opens anything, in one word.
fn state(key: &ApiKey, now: Timestamp) -> &'static str {
    match key.revoked_at {
        Some(_) => "revoked",
        None if key.is_in_force(now) => "active",
        None => "expired",
    }
}
