//! `keys`: API keys from the command line, for the first one and for scripts.

use anyhow::bail;
use clap::{Args, Subcommand};
use preclinical_core::{
    api_key::{ApiKey, ApiKeyText},
    clock::Clock,
    id::ApiKeyId,
    organization::DEFAULT_SLUG,
    port::{Access, CreateKeyError},
};

use crate::{
    config::{Config, Overrides},
    database,
    system::{SystemChance, SystemClock},
    terminal::say,
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
    let text = create_in(&config, &args.organization, args.name).await?;
    say(text.expose());
    Ok(())
}

/// Creates a key in the database of that configuration, which is created, too, if it is missing.
pub(crate) async fn create_in(config: &Config, organization: &str, name: String) -> anyhow::Result<ApiKeyText> {
    if name.trim().is_empty() {
        bail!("--name must not be empty");
    }
    let store = database::join(config).await?;
    let Some(organization) = store.organization(organization).await? else {
        bail!("there is no organization {organization:?}");
    };
    let text = ApiKeyText::generate(&SystemChance);
    let now = SystemClock.now();
    let id = ApiKeyId::generate(now, &SystemChance);
    let key = ApiKey { id, organization_id: organization.id, name, hash: text.hash(), created_at: now };
    match store.create_key(key).await {
        Ok(()) => Ok(text),
        Err(CreateKeyError::NameTaken) => bail!("the organization has a key of that name"),
        Err(CreateKeyError::Store(error)) => Err(error.into()),
    }
}
