//! The measurements of one round. Each starts its own processes, on fresh state, and ends them.

mod bare_loop;
mod bare_relay;
mod drain;
mod end_to_end;
mod latency;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use tempfile::TempDir;

use crate::{
    client::Api,
    disk::{self, Commits},
    figures, load,
    quiet::Session,
};

pub(crate) use self::latency::{Latency, paced};

/// What is measured.
pub(crate) struct Plan {
    /// Webhooks per measurement of throughput.
    pub(crate) deliveries: usize,
    /// Connections of the load generator.
    pub(crate) connections: usize,
    /// Runs completed, one after the other at a steady pace, for the measurement of latency.
    pub(crate) paced_runs: usize,
    /// The product's release binary.
    pub(crate) server: PathBuf,
    /// Where databases are put: on a real disk.
    pub(crate) scratch: PathBuf,
}

/// How fast webhooks came through, and what the process in the middle spent on each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Throughput {
    pub(crate) per_second: f64,
    /// Processor time per webhook; `None` where the system does not tell.
    pub(crate) processor_us: Option<f64>,
}

/// The figures of one round.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) commits: Commits,
    pub(crate) bare_loop: Throughput,
    pub(crate) bare_relay: Throughput,
    pub(crate) end_to_end: Throughput,
    pub(crate) drain: Throughput,
    pub(crate) latency: Latency,
}

impl Plan {
    /// Measures everything once.
    pub(crate) async fn round(&self, session: &mut Session) -> anyhow::Result<Round> {
        Ok(Round {
            bare_loop: session.measure("bare loop", async || bare_loop::measure(self).await).await?,
            bare_relay: session.measure("bare relay", async || bare_relay::measure(self).await).await?,
            end_to_end: session.measure("end to end", async || end_to_end::measure(self).await).await?,
            drain: session.measure("backlog drain", async || drain::measure(self).await).await?,
            commits: session.measure("durable commits", async || self.commits().await).await?,
            latency: session.measure("latency", async || latency::measure(self).await).await?,
        })
    }

    async fn commits(&self) -> anyhow::Result<Commits> {
        let folder = self.folder()?;
        tokio::task::spawn_blocking(move || disk::measure(folder.path())).await?
    }

    /// A folder that vanishes with the measurement.
    fn folder(&self) -> anyhow::Result<TempDir> {
        tempfile::Builder::new().prefix("bench-").tempdir_in(&self.scratch).context("there is no room for databases")
    }
}

impl Throughput {
    fn of(count: usize, took: Duration, processor_time: Option<Duration>) -> Self {
        let processor_us = processor_time.map(|spent| 1_000_000.0 / figures::rate(count, spent));
        Self { per_second: figures::rate(count, took), processor_us }
    }
}

impl std::fmt::Display for Throughput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0}/s", self.per_second)?;
        self.processor_us.map_or(Ok(()), |spent| write!(f, ", {spent:.0} µs of processor time each"))
    }
}

/// Completes all `runs` as fast as they are accepted.
async fn complete(api: &Api, runs: Vec<String>, connections: usize) -> anyhow::Result<()> {
    let api = api.clone();
    let count = runs.len();
    let runs = Arc::new(runs);
    load::closed(count, connections, move |index| {
        let (api, runs) = (api.clone(), Arc::clone(&runs));
        async move { api.complete(&runs[index]).await }
    })
    .await
}

/// Time since `started` on the clock that the processes share: until `us` microseconds after 1970.
fn between(started_us: i64, us: i64) -> Duration {
    Duration::from_micros(u64::try_from(us - started_us).unwrap_or(0))
}
