//! The other processes of a measurement: they say where they listen, and end with whoever started them.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

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

/// How often a process that does not say when it is ready is asked.
const GLANCE: Duration = Duration::from_millis(5);

/// A process that serves. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    /// From the start of the process until it said where it listens.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// Starts `command` and waits until it says where it listens.
    pub(crate) async fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        let started = Instant::now();
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
            Some(url) => Ok(Self { child, url: url.to_owned(), ready_after: started.elapsed() }),
            None => bail!("{name} did not start to listen"),
        }
    }

    /// Starts `command`, which does not say when it is ready at `url`, and asks until it is.
    pub(crate) async fn start_and_ask<F>(
        command: &mut Command,
        url: String,
        is_ready: impl Fn() -> F + Send + Sync,
    ) -> anyhow::Result<Self>
    where
        F: Future<Output = bool> + Send,
    {
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        let started = Instant::now();
        let spawned = command.kill_on_drop(true).stdin(Stdio::null()).spawn();
        let mut child = spawned.with_context(|| format!("cannot start {name}"))?;
        while !is_ready().await {
            if let Some(status) = child.try_wait()? {
                bail!("{name} ended with {status}");
            }
            tokio::time::sleep(GLANCE).await;
        }
        Ok(Self { child, url, ready_after: started.elapsed() })
    }

    /// The processor time it has used so far; `None` where there is no `/proc`.
    pub(crate) fn processor_time(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()?)).ok()?;
        processor_time(&stat)
    }

    /// The memory that it holds; `None` where there is no `/proc`.
    pub(crate) fn resident_mib(&self) -> Option<f64> {
        memory(&self.status()?, "VmRSS:")
    }

    /// The most memory that it ever held; `None` where there is no `/proc`.
    pub(crate) fn most_resident_mib(&self) -> Option<f64> {
        memory(&self.status()?, "VmHWM:")
    }

    /// How often its threads went to sleep so far, which is how often they were woken; `None` where there is no `/proc`.
    pub(crate) fn wake_ups(&self) -> Option<u64> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id()?)).ok()?.flatten();
        let statuses = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("status")).ok());
        Some(statuses.filter_map(|status| field(&status, "voluntary_ctxt_switches:")?.parse::<u64>().ok()).sum())
    }

    fn status(&self) -> Option<String> {
        std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()
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

/// The value behind `name` in a file of `/proc`.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn memory(status: &str, name: &str) -> Option<f64> {
    Some(field(status, name)?.strip_suffix(" kB")?.parse::<f64>().ok()? / 1024.0)
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

    #[tokio::test]
    async fn a_process_that_ends_before_it_is_ready_is_not_asked_for_ever() {
        let started = Server::start_and_ask(&mut Command::new("false"), String::new(), async || false).await;
        let error = started.map(|server| server.url).unwrap_err().to_string();
        assert!(error.starts_with("false ended with"), "{error}");
    }

    #[test]
    fn memory_and_wake_ups_are_read_by_their_whole_name() {
        let status = "Name:\tx\nVmHWM:\t  30720 kB\nVmRSS:\t  20480 kB\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t9\n";
        assert_eq!(memory(status, "VmRSS:").map(|mib| mib.to_string()).as_deref(), Some("20"));
        assert_eq!(memory(status, "VmHWM:").map(|mib| mib.to_string()).as_deref(), Some("30"));
        assert_eq!(field(status, "voluntary_ctxt_switches:"), Some("12"));
        assert_eq!(field(status, "Vm:"), None);
    }
}
