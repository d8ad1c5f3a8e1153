//! The engine's loop: claims what is due, as far as there are places, and sleeps until more is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    chance::Chance,
    clock::Clock,
    delivery::{Claimed, Lease},
    health::Patience,
    id::LeaseToken,
    port::{Handoff, Reservation, Store, StoreError, Watch},
    retry::RetrySchedule,
};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::{attempt, place::Place, transport::Transport};

/// Attempts under way at once.
const PLACES: usize = 512;

/// Deliveries claimed in one transaction.
const MAX_BATCH: usize = 128;

/// The longest sleep; the safety net under wake-ups and timers.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// The shortest sleep.
const MIN_SLEEP: Duration = Duration::from_millis(2);

/// The pause after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// What the engine works with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The waits before retries.
    pub schedule: RetrySchedule,
    /// The deadline of an attempt as a whole.
    pub request_timeout: Duration,
    /// How much longer than that a lease holds: time to commit the attempt's record.
    pub lease_margin: Duration,
    /// How long a webhook may fail; without it nothing but a receiver that is gone disables it.
    pub patience: Option<Patience>,
    /// The address under which people reach the pages, without a slash at its end.
    pub public_url: Arc<str>,
}

/// What a [`Engine::tick`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// All places are taken, or a full batch was claimed: there may be more.
    MayBeMore,
    /// Nothing else is due before that time; never, as far as is known, if it is missing.
    IdleUntil(Option<Timestamp>),
}

/// The engine. One per process; shared by all who hand deliveries to it.
pub struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) settings: Settings,
    places: Arc<Semaphore>,
    changed: Arc<Notify>,
    pub(crate) jobs: JobSignals,
    closing: AtomicBool,
}

/// What the loop of bulk redeliveries is woken by.
#[derive(Default)]
pub(crate) struct JobSignals {
    /// A job was created, or the engine closes.
    pub(crate) changed: Notify,
    /// An attempt of whatever delivery ended.
    pub(crate) attempt_ended: Notify,
}

/// The engine as the intake hands deliveries to it.
pub(crate) struct EngineHandoff {
    engine: Arc<Engine>,
    takes_what_is_due: bool,
}

/// Hears nothing.
struct Deaf;

#[async_trait]
impl Watch for Deaf {
    async fn rung(&mut self) {
        std::future::pending::<()>().await;
    }
}

impl Engine {
    /// An engine that does nothing until [`Self::run`] or [`Self::tick`] is called or a delivery is handed to it.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        transport: impl Transport,
        settings: Settings,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            clock,
            chance,
            transport: Arc::new(transport),
            settings,
            places: Arc::new(Semaphore::new(PLACES)),
            changed: Arc::new(Notify::new()),
            jobs: JobSignals::default(),
            closing: AtomicBool::new(false),
        })
    }

    /// The way in for those who write deliveries.
    pub fn handoff(self: &Arc<Self>) -> Arc<dyn Handoff> {
        Arc::new(EngineHandoff { engine: Arc::clone(self), takes_what_is_due: true })
    }

    /// The way in where other processes send what is due, and this one only what somebody waits for.
    pub fn handoff_of_tests(self: &Arc<Self>) -> Arc<dyn Handoff> {
        Arc::new(EngineHandoff { engine: Arc::clone(self), takes_what_is_due: false })
    }

    /// Claims what is due, one batch at most and never more than there are places, and starts the attempts.
    pub async fn tick(self: &Arc<Self>) -> Result<Tick, StoreError> {
        let mut places = Vec::new();
        while places.len() < MAX_BATCH {
            let Some(place) = self.place() else { break };
            places.push(place);
        }
        if places.is_empty() {
            return Ok(Tick::MayBeMore);
        }
        let leases = places.iter().map(|(_, lease)| *lease).collect();
        let claimed = self.store.claim_due(self.clock.now(), leases).await?;
        let full = claimed.len() == places.len();
        for (claimed, (permit, _)) in claimed.into_iter().zip(places) {
            self.start(claimed, permit);
        }
        if full { Ok(Tick::MayBeMore) } else { self.store.next_due().await.map(Tick::IdleUntil) }
    }

    /// Ticks until [`Self::close`] is called.
    pub async fn run(self: Arc<Self>) {
        let mut left_by_others = self.watch_work().await;
        while !self.closing.load(Ordering::Relaxed) {
            let sleep = match self.tick().await {
                Ok(Tick::MayBeMore) => {
                    // A place must be free before a claim makes sense; the permit goes back at once.
                    drop(self.places.acquire().await);
                    continue;
                }
                Ok(Tick::IdleUntil(due)) => self.until(due),
                Err(error) => {
                    tracing::error!(%error, "cannot claim deliveries");
                    STORE_PAUSE
                }
            };
            tokio::select! {
                biased;
                () = self.changed.notified() => {}
                () = left_by_others.rung() => self.jobs.changed.notify_one(),
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// Takes no new work and waits for the attempts under way, as long as `limit`. Answers whether all of them ended.
    pub async fn close(&self, limit: Duration) -> bool {
        self.closing.store(true, Ordering::Relaxed);
        self.changed.notify_one();
        self.jobs.changed.notify_one();
        let all = u32::try_from(PLACES).unwrap_or(u32::MAX);
        tokio::time::timeout(limit, self.places.acquire_many(all)).await.is_ok()
    }

    /// Without an ear the longest sleep is what finds the work of others.
    async fn watch_work(&self) -> Box<dyn Watch> {
        self.store.watch_work().await.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot hear of work that other processes leave");
            Box::new(Deaf)
        })
    }

    /// Until that time. Not shorter than [`MIN_SLEEP`]: what is due and cannot be had is locked by somebody.
    fn until(&self, due: Option<Timestamp>) -> Duration {
        let wait = due.map(|due| Duration::try_from(due.duration_since(self.clock.now())).unwrap_or_default());
        wait.unwrap_or(MAX_SLEEP).clamp(MIN_SLEEP, MAX_SLEEP)
    }

    fn place(&self) -> Option<(OwnedSemaphorePermit, Lease)> {
        if self.closing.load(Ordering::Relaxed) {
            return None;
        }
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let now = self.clock.now();
        let length = self.settings.request_timeout + self.settings.lease_margin;
        let until = now.saturating_add(length).unwrap_or(Timestamp::MAX);
        Some((permit, Lease { token: LeaseToken::generate(now, &*self.chance), until }))
    }

    /// Makes the attempt in the background; the permit is given back when it is recorded.
    pub(crate) fn start(
        self: &Arc<Self>,
        claimed: Claimed,
        permit: OwnedSemaphorePermit,
    ) -> tokio::task::JoinHandle<Option<preclinical_core::port::AttemptSummary>> {
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            let summary = attempt::make(&engine, claimed).await;
            drop(permit);
            summary
        })
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    pub(crate) fn note_change(&self) {
        self.changed.notify_one();
    }
}

impl Handoff for EngineHandoff {
    fn reserve(&self) -> Option<Box<dyn Reservation>> {
        if self.takes_what_is_due { self.reserve_for_test() } else { None }
    }

    fn reserve_for_test(&self) -> Option<Box<dyn Reservation>> {
        let (permit, lease) = self.engine.place()?;
        Some(Box::new(Place { engine: Arc::clone(&self.engine), permit, lease }))
    }

    fn wake(&self) {
        self.engine.note_change();
    }

    fn wake_redeliveries(&self) {
        self.engine.jobs.changed.notify_one();
    }
}
