//! One process of the product that serves.

use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// What a node says when it serves.
const READY: &str = "listening on ";

/// After it a node does not start or end any more.
const PATIENCE: Duration = Duration::from_mins(2);

/// A process that serves, or is about to. It is killed when this is dropped.
pub struct Node {
    /// Where it listens, without a slash at the end; empty before it does.
    pub url: String,
    child: Child,
    /// Kept open: a server must not be the one that finds its reader gone.
    stdout: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

impl Node {
    /// Starts the process; its standard output is a pipe, its log goes to that file.
    pub(crate) fn spawn(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let mut child = command.kill_on_drop(true).spawn().context("the product cannot be started")?;
        let stdout = child.stdout.take().context("a process without standard output")?;
        Ok(Self { url: String::new(), child, stdout: BufReader::new(stdout).lines(), log: log.to_owned() })
    }

    /// Returns when it listens.
    pub async fn ready(mut self) -> anyhow::Result<Self> {
        let line = tokio::time::timeout(PATIENCE, self.stdout.next_line()).await.context("the product does not start")??;
        match line.as_deref().and_then(|line| line.strip_prefix(READY)) {
            Some(url) => url.clone_into(&mut self.url),
            None => bail!("the product said {line:?} instead of where it listens\n{}", self.log()),
        }
        Ok(self)
    }

    /// Ends it with SIGKILL, and returns when it is gone.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Sends it a signal, such as `TERM`.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.child.id().context("the process has ended")?;
        let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().await?;
        ensure!(sent.success(), "process {pid} takes no {name}");
        Ok(())
    }

    /// Its process id, until it has ended.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// How it ended, once it has.
    pub async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        Ok(tokio::time::timeout(PATIENCE, self.child.wait()).await.context("the product does not end")??)
    }

    /// What it logged, and those before it with the same log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}
