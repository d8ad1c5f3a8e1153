//! The part of a process that sends: the engine and the loops around it.

use std::{io, sync::Arc, time::Duration};

use anyhow::Context;
use jiff::SignedDuration;
use preclinical_core::{
    clock::Clock,
    port::{Handoff, Prober, Store},
};
use preclinical_delivery::{Engine, Housekeeping, Platform, Presence, Probe, Redeliverer, Settings, WebhookClient};
use tokio::task::JoinHandle;

use crate::{
    config::{Config, Location},
    database::Database,
    system::{self, SystemChance, SystemClock},
};

/// How long attempts may still take, beyond their own deadline, when the end is asked for.
pub(crate) const DRAIN_MARGIN: Duration = Duration::from_secs(5);

/// What a process sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sends {
    /// Whatever is due.
    WhatIsDue,
    /// Only test deliveries, whose outcome somebody waits for; other processes send the rest.
    Tests,
}

pub(crate) struct Delivering {
    store: Database,
    engine: Arc<Engine>,
    sends: Sends,
    redeliveries: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
    drain_limit: Duration,
}

impl Delivering {
    /// Takes over what a dead process left, and begins. Also answers what looks at agents' endpoints with the same guard.
    pub(crate) async fn start(
        store: &Database,
        config: &Config,
        public_url: &str,
        sends: Sends,
    ) -> anyhow::Result<(Self, Arc<dyn Prober>)> {
        system::raise_file_limit();
        let (clock, chance) = (Arc::new(SystemClock), Arc::new(SystemChance));
        let interrupted = store.void_dead_leases(clock.now()).await?;
        if interrupted > 0 {
            tracing::info!(interrupted, "taking over attempts that were cut off");
        }
        let client = client(config).context("cannot prepare outgoing connections")?;
        let prober = Arc::new(Probe::new(client.clone(), config.request_timeout));
        let settings = Settings {
            schedule: config.schedule.clone(),
            request_timeout: config.request_timeout,
            lease_margin: config.lease_margin,
            patience: config.patience,
            public_url: public_url.into(),
        };
        let engine = Engine::new(Arc::clone(store), clock.clone(), chance, client, settings);
        let keep = config.retention.and_then(|keep| SignedDuration::try_from(keep).ok());
        let mut others = vec![tokio::spawn(Housekeeping::new(Arc::clone(store), clock, keep).run())];
        if matches!(config.database, Location::Server(_)) {
            others.push(tokio::spawn(Presence::new(&engine).run()));
        }
        let redeliveries = match sends {
            Sends::WhatIsDue => {
                others.push(tokio::spawn(Arc::clone(&engine).run()));
                tokio::spawn(Redeliverer::new(&engine).run())
            }
            Sends::Tests => tokio::spawn(async {}),
        };
        let drain_limit = config.request_timeout + DRAIN_MARGIN;
        Ok((Self { store: Arc::clone(store), engine, sends, redeliveries, others, drain_limit }, prober))
    }

    /// The way in for those who write deliveries.
    pub(crate) fn handoff(&self) -> Arc<dyn Handoff> {
        match self.sends {
            Sends::WhatIsDue => self.engine.handoff(),
            Sends::Tests => self.engine.handoff_of_tests(),
        }
    }

    /// How long the end takes at most.
    pub(crate) fn drain_limit(&self) -> Duration {
        self.drain_limit
    }

    /// Takes nothing new, lets attempts end within the drain limit, and hands back the rest.
    pub(crate) async fn stop(mut self) {
        let redeliveries = tokio::time::timeout(self.drain_limit, &mut self.redeliveries);
        let (drained, _) = tokio::join!(self.engine.close(self.drain_limit), redeliveries);
        for task in self.others.iter().chain([&self.redeliveries]) {
            task.abort();
        }
        match hand_back(&*self.store).await {
            Ok(0) if drained => {}
            Ok(handed_back) => tracing::warn!(handed_back, "attempts were cut off; they are made again"),
            Err(error) => tracing::warn!(%error, "attempts that were cut off are made again when their leases end"),
        }
    }
}

/// The one client of this process: whatever it sends to users' systems goes under this guard.
fn client(config: &Config) -> io::Result<WebhookClient> {
    let platform = Platform { proxy: config.proxy.clone(), ..Platform::detect()? };
    WebhookClient::on(platform, config.endpoints.clone())
}

async fn hand_back(store: &dyn Store) -> anyhow::Result<u64> {
    let leaving = store.leave(SystemClock.now());
    Ok(tokio::time::timeout(DRAIN_MARGIN, leaving).await.context("the database does not answer")??)
}
