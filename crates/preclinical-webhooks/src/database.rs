//! The database is opened, with the key that belongs to it.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, bail};
use preclinical_core::{
    clock::Clock,
    id::OrganizationId,
    organization::{DEFAULT_SLUG, Organization},
    port::Store,
    slug::Slug,
    vault::Vault,
};
use preclinical_store_postgres::{Address, OpenError as PostgresError, PostgresStore};
use preclinical_store_sqlite::{OpenError as SqliteError, SqliteStore};

use crate::{
    config::{Config, Location},
    master_key::{self, KeySource, Loaded},
    system::{SystemChance, SystemClock},
    terminal::{NOTE, Styled, say_aside},
};

/// An open database.
pub(crate) type Database = Arc<dyn Store>;

/// How a file of the embedded store is opened.
type Open = fn(&Path, Vault) -> Result<SqliteStore, SqliteError>;

/// Opens it for serving; refuses while another process serves a file of the embedded store.
pub(crate) async fn serve(config: &Config) -> anyhow::Result<Database> {
    open(config, SqliteStore::open_exclusively).await
}

/// Opens it beside a process that may serve it.
pub(crate) async fn join(config: &Config) -> anyhow::Result<Database> {
    open(config, SqliteStore::open).await
}

/// Opens it beside a process that may serve it, for work on that organization.
pub(crate) async fn join_as(config: &Config, slug: &Slug) -> anyhow::Result<(Database, OrganizationId)> {
    as_organization(join(config).await?, slug).await
}

/// The same with one that is there, as [`existing`] does.
pub(crate) async fn existing_as(config: &Config, slug: &Slug) -> anyhow::Result<(Database, OrganizationId)> {
    as_organization(existing(config).await?, slug).await
}

async fn as_organization(store: Database, slug: &Slug) -> anyhow::Result<(Database, OrganizationId)> {
    match store.organization(slug).await? {
        Some(organization) => Ok((store, organization.id)),
        None => bail!("there is no organization {:?}", slug.as_str()),
    }
}

/// Opens one that is there, as [`join`] does, and creates no file: whoever asks what is in it mistyped its path.
pub(crate) async fn existing(config: &Config) -> anyhow::Result<Database> {
    if let Location::Default(path) | Location::File(path) = &config.database
        && !path.is_file()
    {
        bail!("there is no database {}", path.display());
    }
    join(config).await
}

async fn open(config: &Config, how: Open) -> anyhow::Result<Database> {
    let store = match &config.database {
        Location::Default(path) => {
            create_folder_of(path)?;
            open_file(path, &config.master_key, how)?
        }
        Location::File(path) => {
            find_folder_of(path)?;
            open_file(path, &config.master_key, how)?
        }
        Location::Server(address) => open_on_server(address, &config.master_key).await?,
    };
    ensure_default_organization(&*store).await?;
    Ok(store)
}

fn open_file(path: &Path, key: &KeySource, open: Open) -> anyhow::Result<Database> {
    let loaded = master_key::load(key, Some(path))?;
    let opened = open(path, vault(&loaded));
    judge_key(&loaded, opened.is_ok(), matches!(opened, Err(SqliteError::WrongKey)))?;
    let store = opened.with_context(|| format!("cannot open the database {}", path.display()))?;
    Ok(Arc::new(store))
}

async fn open_on_server(address: &Address, key: &KeySource) -> anyhow::Result<Database> {
    let loaded = master_key::load(key, None)?;
    let opened = PostgresStore::open(address, vault(&loaded), SystemClock.now()).await;
    judge_key(&loaded, opened.is_ok(), matches!(opened, Err(PostgresError::WrongKey)))?;
    let store = opened.with_context(|| format!("cannot open the database {address}"))?;
    Ok(Arc::new(store))
}

fn vault(loaded: &Loaded) -> Vault {
    Vault::new(&loaded.key, Arc::new(SystemChance))
}

/// Says that a key was made. The key that was missing is another one if it was wrong; a new one would only hide that.
fn judge_key(loaded: &Loaded, is_right: bool, is_wrong: bool) -> anyhow::Result<()> {
    let Some(file) = &loaded.created else { return Ok(()) };
    if is_wrong {
        fs::remove_file(file).ok();
        bail!("the master key {} is missing: the secrets in the database were sealed with it", file.display());
    }
    if is_right {
        let key = file.display();
        let created = format_args!("created the master key {key}: secrets in the database open only with it, so back it up");
        say_aside(Styled(NOTE, created));
    }
    Ok(())
}

/// The default folder is made.
fn create_folder_of(path: &Path) -> anyhow::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    fs::create_dir_all(folder).with_context(|| format!("cannot create the folder of {}", path.display()))
}

/// Any other must be there, because its path may be mistyped or its disk not be mounted.
fn find_folder_of(path: &Path) -> anyhow::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    if !folder.is_dir() {
        bail!("there is no folder {} for the database {}", folder.display(), path.display());
    }
    Ok(())
}

/// Creates the organization `default` if it is missing.
async fn ensure_default_organization(store: &dyn Store) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let id = OrganizationId::generate(now, &SystemChance);
    store.ensure_organization(Organization { id, slug: DEFAULT_SLUG.parse()?, created_at: now }).await?;
    Ok(())
}
