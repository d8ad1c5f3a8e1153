//! The other processes of a measurement: they say where they listen, and end with whoever started them.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

use crate::terminal;

const ANNOUNCEMENT: &str = "listening on ";

/// What `/proc` counts processor time in; the same on every Linux that this runs on.
const TICK: Duration = Duration::from_millis(10);

/// A process that serves. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
}

impl Server {
    /// Starts `command` and waits until it says where it listens.
    pub(crate) async fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        let mut child = command
            .kill_on_drop(true)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let stdout = child.stdout.as_mut().context("a child without standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).await?;
        match line.trim_end().strip_prefix(ANNOUNCEMENT) {
            Some(url) => Ok(Self { child, url: url.to_owned() }),
            None => bail!("{name} did not start to listen"),
        }
    }

    /// The processor time it has used so far; `None` where there is no `/proc`.
    pub(crate) fn processor_time(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()?)).ok()?;
        processor_time(&stat)
    }

    /// The memory that it holds; `None` where there is no `/proc`.
    pub(crate) fn resident_mib(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?;
        Some(kib.parse::<f64>().ok()? / 1024.0)
    }

    /// Asks it to end, as a service manager does, and waits until it has; anything but success is an error.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let id = self.child.id().context("a process that has ended")?;
        let asked = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        ensure!(asked.success(), "process {id} cannot be asked to end");
        let status = self.child.wait().await?;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }

    /// Kills it without warning and waits until it is gone.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// User and system time of a line of `/proc/PID/stat`, whose second field may contain anything.
fn processor_time(stat: &str) -> Option<Duration> {
    let mut after_name = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: u32 = after_name.next()?.parse::<u32>().ok()?.checked_add(after_name.next()?.parse().ok()?)?;
    Some(TICK * ticks)
}

/// The other side: a free port on this machine alone.
pub(crate) async fn listen() -> std::io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", 0)).await
}

/// Says where this process listens.
pub(crate) fn announce(listener: &TcpListener) -> std::io::Result<()> {
    terminal::say(format_args!("{ANNOUNCEMENT}http://{}", listener.local_addr()?));
    Ok(())
}

/// Resolves when whoever started this process has gone, however it ended.
pub(crate) async fn orphaned() {
    let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_a_strange_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 7 7 20 0 5 0 1000 1 1";
        assert_eq!(processor_time(stat), Some(Duration::from_secs(2)));
        assert_eq!(processor_time("42 (x"), None);
    }
}
