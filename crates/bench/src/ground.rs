//! What a measurement stands on: a folder on a real disk, and for PostgreSQL a server of its own. Both vanish with it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, ensure};
use clap::ValueEnum;
use preclinical_testkit::postgres::{Cluster, Durability, Stop};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::machine;

/// File systems that keep nothing: committing to them says nothing.
const NOT_A_DISK: [&str; 2] = ["tmpfs", "ramfs"];

/// What a server must be set to so that what it committed is on the disk.
const DURABLE: [&str; 3] = ["fsync", "synchronous_commit", "full_page_writes"];

/// Which store the product stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// The embedded one
    Sqlite,
    /// A server of its own, from the programs that are installed
    Postgres,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// A place for one database.
pub(crate) struct Ground {
    folder: TempDir,
    cluster: Option<Cluster>,
}

impl Ground {
    /// A new one in `scratch`. A server is as PostgreSQL is by itself, which is durable; one that is not is refused.
    pub(crate) async fn new(store: Store, scratch: &Path) -> anyhow::Result<Self> {
        let folder =
            tempfile::Builder::new().prefix("bench-").tempdir_in(scratch).context("there is no room for databases")?;
        must_be_a_disk(folder.path())?;
        let cluster = match store {
            Store::Sqlite => None,
            Store::Postgres => Some(start().await?),
        };
        let ground = Self { folder, cluster };
        if let Some(cluster) = &ground.cluster {
            must_be_a_disk(cluster.folder())?;
            must_be_durable(&ground.connect().await?).await?;
        }
        Ok(ground)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the database is, as the product is told.
    pub(crate) fn database(&self) -> String {
        self.cluster.as_ref().map_or_else(|| self.file().display().to_string(), |cluster| cluster.url("postgres"))
    }

    /// The file of the embedded store.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join("bench.db")
    }

    /// A connection to the database on a server.
    pub(crate) async fn connect(&self) -> anyhow::Result<Client> {
        let cluster = self.cluster.as_ref().context("a file has no server")?;
        let (client, connection) = tokio_postgres::connect(&cluster.url("postgres"), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Ends the server, so that what it used of the processors is known to be ours, and removes everything.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        let ending = move || {
            self.cluster.iter().for_each(|cluster| cluster.stop(Stop::Fast));
            drop(self.cluster);
            self.folder.close()
        };
        Ok(tokio::task::spawn_blocking(ending).await??)
    }
}

async fn start() -> anyhow::Result<Cluster> {
    let started = tokio::task::spawn_blocking(|| Cluster::start(Durability::Full)).await;
    started.map_err(|error| {
        let cause = error.try_into_panic().ok();
        let said = cause.and_then(|cause| {
            let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
            text.or_else(|| cause.downcast_ref::<String>().cloned())
        });
        let said = said.unwrap_or_default();
        anyhow!("PostgreSQL does not start ({said}); leave it out with --stores sqlite")
    })
}

fn must_be_a_disk(folder: &Path) -> anyhow::Result<()> {
    let kind = machine::file_system(folder).unwrap_or_default();
    ensure!(!NOT_A_DISK.contains(&kind.as_str()), "{} is in memory ({kind}): set TMPDIR to a disk", folder.display());
    Ok(())
}

async fn must_be_durable(client: &Client) -> anyhow::Result<()> {
    for setting in DURABLE {
        let answer = client.simple_query(&format!("SHOW {setting}")).await?;
        let value = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        ensure!(value == Some("on"), "PostgreSQL has {setting} set to {value:?}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_no_disk() {
        let refused = must_be_a_disk(Path::new("/dev/shm")).map_err(|error| error.to_string());
        // Where there is no such place there is nothing to refuse.
        if machine::file_system(Path::new("/dev/shm")).as_deref() == Some("tmpfs") {
            assert!(refused.unwrap_err().contains("in memory"));
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_flush_is_refused() {
        let Some(database) = preclinical_testkit::postgres::empty().await else { return };
        let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("SET synchronous_commit = off").await.unwrap();
        assert!(must_be_durable(&client).await.is_err());
    }
}
