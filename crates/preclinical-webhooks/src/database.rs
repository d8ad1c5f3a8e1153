//! The embedded database is opened, with the key that belongs to it.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use preclinical_core::{
    clock::Clock,
    id::OrganizationId,
    organization::{DEFAULT_SLUG, Organization},
    port::Access,
    slug::Slug,
    vault::Vault,
};
use preclinical_store_sqlite::{OpenError, SqliteStore};

use crate::{
    config::Config,
    master_key::{self, Loaded},
    system::{SystemChance, SystemClock},
    terminal::{NOTE, Styled, say_aside},
};

/// Opens it for serving; refuses while another process serves it.
pub(crate) async fn serve(config: &Config) -> anyhow::Result<SqliteStore> {
    open(config, SqliteStore::open_exclusively).await
}

/// Opens it beside a process that may serve it.
pub(crate) async fn join(config: &Config) -> anyhow::Result<SqliteStore> {
    open(config, SqliteStore::open).await
}

/// Opens it beside a process that may serve it, for work on that organization.
pub(crate) async fn join_as(config: &Config, slug: &Slug) -> anyhow::Result<(SqliteStore, OrganizationId)> {
    as_organization(join(config).await?, slug).await
}

/// The same with one that is there, as [`existing`] does.
pub(crate) async fn existing_as(config: &Config, slug: &Slug) -> anyhow::Result<(SqliteStore, OrganizationId)> {
    as_organization(existing(config).await?, slug).await
}

async fn as_organization(store: SqliteStore, slug: &Slug) -> anyhow::Result<(SqliteStore, OrganizationId)> {
    match store.organization(slug).await? {
        Some(organization) => Ok((store, organization.id)),
        None => bail!("there is no organization {:?}", slug.as_str()),
    }
}

/// Opens one that is there, as [`join`] does, and creates nothing: whoever asks what is in it mistyped its path.
pub(crate) async fn existing(config: &Config) -> anyhow::Result<SqliteStore> {
    if !config.database.is_file() {
        bail!("there is no database {}", config.database.display());
    }
    join(config).await
}

async fn open(
    config: &Config,
    open: impl FnOnce(&Path, Vault) -> Result<SqliteStore, OpenError>,
) -> anyhow::Result<SqliteStore> {
    let path = &config.database;
    folder_of(path, config.has_default_database)?;
    let Loaded { key, created } = master_key::load(&config.master_key, path)?;
    let opened = open(path, Vault::new(&key, std::sync::Arc::new(SystemChance)));
    match (&opened, &created) {
        (Ok(_), Some(key)) => say_aside(Styled(
            NOTE,
            format_args!(
                "created the master key {}: secrets in the database open only with it, so back it up",
                key.display()
            ),
        )),
        // The key that was missing is another one; a new one would only hide that.
        (Err(OpenError::WrongKey), Some(key)) => {
            fs::remove_file(key).ok();
            let missing = format!("the master key {} is missing", key.display());
            return Err(anyhow::Error::new(OpenError::WrongKey).context(missing));
        }
        _ => {}
    }
    let store = opened.with_context(|| format!("cannot open the database {}", path.display()))?;
    ensure_default_organization(&store).await?;
    Ok(store)
}

/// The default folder is made; any other must be there, because its path may be mistyped or its disk not be mounted.
fn folder_of(path: &Path, is_default: bool) -> anyhow::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    if is_default {
        return fs::create_dir_all(folder).with_context(|| format!("cannot create the folder of {}", path.display()));
    }
    if !folder.is_dir() {
        bail!("there is no folder {} for the database {}", folder.display(), path.display());
    }
    Ok(())
}

/// Creates the organization `default` if it is missing.
async fn ensure_default_organization(store: &SqliteStore) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let id = OrganizationId::generate(now, &SystemChance);
    store.ensure_organization(Organization { id, slug: DEFAULT_SLUG.parse()?, created_at: now }).await?;
    Ok(())
}
