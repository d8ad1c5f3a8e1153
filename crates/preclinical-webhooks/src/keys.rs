//! `keys`: API keys from the command line, for the first one and for scripts.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use preclinical_core::{
    api_key::{ApiKey, ApiKeyText},
    clock::Clock,
    id::ApiKeyId,
    organization::DEFAULT_SLUG,
    port::{Access, CreateKeyError},
};
use preclinical_store_sqlite::SqliteStore;

use crate::{
    config::{Config, Overrides},
    serve,
    system::{SystemChance, SystemClock},
};

/// What can be done with keys.
#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Create a key; prints it, and nothing else, on standard output
    Create(CreateArgs),
}

/// What a key is made of.
#[derive(Args)]
pub(crate) struct CreateArgs {
    /// What the key is for; unique in the organization
    #[arg(long)]
    name: String,
    /// Organization the key belongs to
    #[arg(long, default_value = DEFAULT_SLUG, value_name = "SLUG")]
    organization: String,
    /// Database: a path or sqlite:PATH [default: a file in the platform's data folder] [env: PRECLINICAL_DATABASE_URL]
    #[arg(long)]
    database: Option<String>,
}

/// Creates a key, also while a server runs on the same database.
pub(crate) async fn create(args: CreateArgs) -> anyhow::Result<()> {
    let config = Config::load(Overrides { database: args.database, ..Overrides::default() })?;
    serve::create_folder(&config.database)?;
    let store = SqliteStore::open(&config.database)
        .with_context(|| format!("cannot open the database {}", config.database.display()))?;
    serve::ensure_default_organization(&store).await?;
    let Some(organization) = store.organization(&args.organization).await? else {
        bail!("there is no organization {:?}", args.organization);
    };
    if args.name.trim().is_empty() {
        bail!("--name must not be empty");
    }
    let text = ApiKeyText::generate(&SystemChance);
    let now = SystemClock.now();
    let key = ApiKey {
        id: ApiKeyId::generate(now, &SystemChance),
        organization_id: organization.id,
        name: args.name,
        hash: text.hash(),
        created_at: now,
    };
    match store.create_key(key).await {
        Ok(()) => {}
        Err(CreateKeyError::NameTaken) => bail!("the organization has a key of that name"),
        Err(CreateKeyError::Store(error)) => return Err(error.into()),
    }
    #[expect(clippy::print_stdout, reason = "the key is what this command is for")]
    {
        println!("{}", text.expose());
    }
    Ok(())
}
