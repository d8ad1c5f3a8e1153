//! A database, its key, and the nodes that serve it.

use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    str::FromStr,
};

use anyhow::{bail, ensure};
use preclinical_testkit::postgres::{Cluster, Durability};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{api::Api, node::Node};

/// What seals secrets in the database: the same for all nodes, and on no disk that fills up.
const MASTER_KEY: &str = "dG9ydHVyZS1tYXN0ZXIta2V5LW9mLTMyLWJ5dGVzISE=";

/// Waits before retries. Refusals are to be repeated soon, and nothing is to be given up while something is broken.
const SCHEDULE: &str = "100ms,200ms,400ms,1s,1s,1s,2s,2s,2s,2s,5s,5s,5s,5s,5s,10s,10s,10s,10s,10s";

/// Which store the product stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Store {
    /// The embedded one.
    Sqlite,
    /// A server of its own.
    Postgres,
}

impl Store {
    /// As it is named on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

impl FromStr for Store {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Sqlite, Self::Postgres]
            .into_iter()
            .find(|store| store.as_str() == text)
            .ok_or_else(|| "sqlite or postgres".to_owned())
    }
}

/// What all proofs of a run have in common.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The product.
    pub binary: PathBuf,
    /// What it stands on.
    pub store: Store,
    /// What a database server is set to. One that flushes nothing is enough, and quick, where the machine stays up: whatever was handed
    /// to the system survives the death of every process. It also waits for no commit by itself: the product has to ask for that.
    pub durability: Durability,
    /// What every choice follows from.
    pub seed: u64,
}

/// A database of one proof's own.
pub struct Site {
    binary: PathBuf,
    folder: TempDir,
    pub(crate) url: String,
    pub(crate) cluster: Option<Cluster>,
    settings: Vec<(&'static str, String)>,
    /// A command that is put in front of the product's.
    within: Vec<OsString>,
    key: String,
}

impl Site {
    /// A new database with a key. Settings are named without `PRECLINICAL_`.
    pub async fn create(ground: &Ground, settings: &[(&'static str, &str)]) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("torture-").tempdir()?;
        Self::create_in(ground, folder, "w.db", Vec::new(), settings).await
    }

    /// The same with the embedded store's file at that place in the folder, and all commands behind another one.
    pub async fn create_in(
        ground: &Ground,
        folder: TempDir,
        file: &str,
        within: Vec<OsString>,
        settings: &[(&'static str, &str)],
    ) -> anyhow::Result<Self> {
        let cluster = match ground.store {
            Store::Sqlite => None,
            Store::Postgres => {
                let durability = ground.durability;
                Some(tokio::task::spawn_blocking(move || Cluster::start(durability)).await?)
            }
        };
        let url = match &cluster {
            None => format!("sqlite:{}", folder.path().join(file).display()),
            Some(cluster) => cluster.url("postgres"),
        };
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let binary = ground.binary.clone();
        let mut site = Self { binary, folder, url, cluster, settings, within, key: String::new() };
        let output = site.command(&["keys", "create", "--name", "torture"]).output().await?;
        ensure!(output.status.success(), "keys create failed: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout)?.trim().clone_into(&mut site.key);
        Ok(site)
    }

    /// Starts a node that does everything, and returns when it listens.
    pub async fn start(&self) -> anyhow::Result<Node> {
        self.spawn("node")?.ready().await
    }

    /// Starts a node that does everything; those of one name share a log.
    pub fn spawn(&self, name: &str) -> anyhow::Result<Node> {
        let log = self.folder.path().join(format!("{name}.log"));
        let lines = File::options().create(true).append(true).open(&log)?;
        Node::spawn(self.command(&["serve"]).stdout(Stdio::piped()).stderr(lines), &log)
    }

    /// A client with the database's key.
    pub fn api(&self) -> Api {
        Api::new(&self.key)
    }

    /// The server of the database, if it is on one.
    pub fn cluster(&self) -> anyhow::Result<&Cluster> {
        match &self.cluster {
            Some(cluster) => Ok(cluster),
            None => bail!("the embedded store has no server"),
        }
    }

    /// The file of the embedded store.
    pub fn file(&self) -> anyhow::Result<&Path> {
        match self.url.strip_prefix("sqlite:") {
            Some(path) => Ok(Path::new(path)),
            None => bail!("the database is no file"),
        }
    }

    /// Leaves the files of a proof that failed where they are, and says where.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut words = self.within.iter().cloned().chain([self.binary.clone().into_os_string()]);
        let mut command = Command::new(words.next().unwrap_or_default());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PRECLINICAL_") {
                command.env_remove(name);
            }
        }
        command
            .args(words)
            .args(arguments)
            .env("PRECLINICAL_LISTEN", "127.0.0.1:0")
            .env("PRECLINICAL_DATABASE_URL", &self.url)
            .env("PRECLINICAL_MASTER_KEY", MASTER_KEY)
            .env("PRECLINICAL_ALLOW_CIDRS", "127.0.0.0/8")
            .env("PRECLINICAL_RATE_LIMIT", "0")
            .env("PRECLINICAL_RETRY_SCHEDULE", SCHEDULE)
            .envs(self.settings.iter().map(|(name, value)| (format!("PRECLINICAL_{name}"), value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }
}
