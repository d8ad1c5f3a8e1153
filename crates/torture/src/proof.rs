//! The proofs: one function for each way of breaking things, which says what came of it.
//!
//! Each begins with a database of its own, runs that are to be completed, and a receiver; breaks something while they are;
//! heals it, waits until everything has settled, and has the books compared.

mod contested;
mod disk_errors;
mod early;
mod full_disk;
mod killed;
mod locked;
mod lost_node;
mod outage;
mod paused;
mod power_cut;
mod restored;
mod terminated;

pub use contested::contested;
pub use disk_errors::disk_errors;
pub use early::acknowledged_early;
pub use full_disk::full_disk;
pub use killed::killed;
pub use locked::locked;
pub use lost_node::lost_node;
pub use outage::{Outage, outage};
pub use paused::{LEASE, frozen, paused};
pub use power_cut::{Flushing, PowerCuts, power_cut, work_if_asked};
pub use restored::{Copied, restored};
pub use terminated::{silent_receiver, terminated};

use std::{future::Future, time::Duration};

use anyhow::Context;

use crate::{
    api::Api,
    checker, history,
    node::Node,
    outcome::Outcome,
    producer::Producer,
    sink::{self, Manner, Sink},
    site::{Ground, Site, Store},
};

/// After it something that should happen has failed to.
const PATIENCE: Duration = Duration::from_mins(5);

/// What is asked of the product while things are broken.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Runs that are completed.
    pub completions: usize,
    /// Connections that complete them.
    pub connections: usize,
}

/// A database with runs to be completed, who completes them, and who receives the webhooks.
struct Scene {
    store: Store,
    site: Site,
    sink: Sink,
    api: Api,
    producer: Producer,
    load: Load,
}

impl Scene {
    /// All of it on a site, and the first node, which nobody asks yet.
    async fn open(ground: &Ground, site: Site, manner: Manner, load: Load) -> anyhow::Result<(Self, Node)> {
        let (sink, api) = (Sink::start(manner).await?, site.api());
        let node = site.start().await?;
        let runs = api.prepare(&node.url, &sink.url, sink::SECRET, load.completions).await?;
        let producer = Producer::start(api.clone(), runs, load.connections);
        Ok((Self { store: ground.store, site, sink, api, producer, load }, node))
    }

    /// Everything is healed: what was asked for is finished, and the books are compared.
    async fn close(self, node: &Node, proof: &'static str, did: String) -> anyhow::Result<Outcome> {
        let done = tokio::time::timeout(PATIENCE, async {
            self.producer.until_done().await;
            history::until_settled(&self.api, &node.url).await;
        });
        let settled = done.await.is_ok();
        // An answer that its sender did not wait for may be on its way still.
        let asked = self.producer.book();
        let history = history::read(&self.api, &node.url).await?;
        let findings = checker::check(&asked, &self.sink.book(), &history);
        let did = format!("{did} during {} completions", self.load.completions);
        let mut outcome = Outcome::of(proof, self.store, did, findings).requiring(settled, || {
            let left = self.load.completions - asked.accepted.len();
            format!("stuck: {left} completions were not accepted, or deliveries stay pending")
        });
        if !outcome.holds() {
            outcome.files = Some(self.site.keep());
        }
        Ok(outcome)
    }
}

/// What happens in time, or an error that says what did not.
async fn in_time<T>(what: &str, happens: impl Future<Output = T>) -> anyhow::Result<T> {
    tokio::time::timeout(PATIENCE, happens).await.with_context(|| format!("{what}: nothing happens"))
}

/// Attempts under way at a receiver that was never tried before and says nothing.
pub(crate) const HELD: usize = 4;
