//! Bulk redeliveries are taken further: a few deliveries at a time, and the next ones when those have ended.

use std::{sync::Arc, time::Duration};

use preclinical_core::{
    id::{DeliveryId, RedeliveryJobId},
    port::{JobNext, RunningJob, StoreError},
    redelivery::MAX_PENDING_OF_JOB,
};

use tokio::time::Instant;

use crate::engine::Engine;

/// Jobs that are read at once.
const PAGE: u32 = 100;

/// The longest sleep; the safety net under wake-ups. What a disabled webhook cancels ends without an attempt that would tell.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// Replays that are asked for at once.
const OWED: usize = 16;

/// The pause after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// What a [`Redeliverer::tick`] left behind, from nothing to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Round {
    /// No job runs.
    Idle,
    /// Every job that runs has as many deliveries pending as it may have.
    Waiting,
    /// A job may be taken further at once.
    MayBeMore,
}

/// Writes the deliveries of running jobs, for the engine to send. What it did is on disk, so it can end at any time.
pub struct Redeliverer {
    engine: Arc<Engine>,
}

impl Redeliverer {
    /// Does nothing until [`Self::run`] or [`Self::tick`] is called.
    pub fn new(engine: &Arc<Engine>) -> Self {
        Self { engine: Arc::clone(engine) }
    }

    /// Creates the jobs that webhooks are owed which have recovered.
    pub async fn recover(&self) -> Result<(), StoreError> {
        loop {
            let now = self.engine.clock.now();
            let ids = (0..OWED).map(|_| RedeliveryJobId::generate(now, &*self.engine.chance)).collect();
            let jobs = self.engine.store.replay_recovered(ids, now).await?;
            for job in jobs.iter().filter_map(|job| job.selection.webhook_id.map(|webhook| (webhook, job))) {
                tracing::info!(webhook = %job.0, job = %job.1.id, total = job.1.total, "the webhook has recovered, what it missed is replayed");
            }
            if jobs.len() < OWED || self.engine.is_closing() {
                return Ok(());
            }
        }
    }

    /// Takes every running job one step further. One that cannot be holds up no other; its error is answered afterwards.
    pub async fn tick(&self) -> Result<Round, StoreError> {
        let (mut round, mut failed, mut after) = (Round::Idle, None, None);
        loop {
            let jobs = self.engine.store.running_redelivery_jobs(after, PAGE).await?;
            for job in &jobs {
                match self.step(*job).await {
                    Ok(left) => round = round.max(left),
                    Err(error) => failed = Some(error),
                }
            }
            after = jobs.last().map(|job| job.id);
            if jobs.len() < PAGE as usize {
                return failed.map_or(Ok(round), Err);
            }
        }
    }

    async fn step(&self, job: RunningJob) -> Result<Round, StoreError> {
        let now = self.engine.clock.now();
        let room = job.pending..MAX_PENDING_OF_JOB;
        if room.is_empty() {
            return Ok(Round::Waiting);
        }
        let ids = room.map(|_| DeliveryId::generate(now, &*self.engine.chance)).collect();
        let step = self.engine.store.advance_redelivery_job(job.id, ids, now).await?;
        if step.enqueued > 0 {
            self.engine.note_change();
        }
        Ok(match step.next {
            JobNext::Continue => Round::MayBeMore,
            JobNext::Wait => Round::Waiting,
            JobNext::Ended => {
                tracing::info!(job = %job.id, "bulk redelivery completed");
                // What waited for it may be owed now.
                self.engine.places.recovered.notify_one();
                Round::Idle
            }
        })
    }

    /// Ticks until the engine closes. Whom a replay is owed is asked at the start, whenever a webhook has recovered, and from time to
    /// time: what another process recorded, or this one before it was killed, is found by that.
    pub async fn run(self) {
        let (jobs, recovered) = (&self.engine.jobs, &self.engine.places.recovered);
        let (mut ask, mut pause) = (Instant::now(), STORE_PAUSE);
        while !self.engine.is_closing() {
            if ask <= Instant::now() {
                let outcome = self.recover().await;
                (ask, pause) = match outcome {
                    Ok(()) => (Instant::now() + MAX_SLEEP, STORE_PAUSE),
                    // What takes the store too long must not hold up the jobs that run.
                    Err(error) => {
                        tracing::error!(%error, "cannot see which webhooks have recovered");
                        (Instant::now() + pause, (pause * 2).min(MAX_SLEEP))
                    }
                };
            }
            match self.tick().await {
                Ok(Round::MayBeMore) => {}
                Ok(round) => tokio::select! {
                    () = recovered.notified() => ask = Instant::now(),
                    () = jobs.attempt_ended.notified(), if round == Round::Waiting => {}
                    () = jobs.changed.notified() => {}
                    () = tokio::time::sleep_until(ask) => {}
                },
                Err(error) => {
                    tracing::error!(%error, "cannot take bulk redeliveries further");
                    drop(tokio::time::timeout(STORE_PAUSE, jobs.changed.notified()).await);
                }
            }
        }
    }
}
