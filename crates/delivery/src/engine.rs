//! The engine's loop: claims what is due, as far as there are places, and sleeps until more is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
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
    id::{LeaseToken, OrganizationId, WebhookId},
    port::{AttemptSummary, Handoff, Offer, Reservation, Store, StoreError, Watch},
    retry::RetrySchedule,
};
use tokio::{sync::Notify, task::JoinHandle, time::Instant};

use crate::{
    attempt,
    memo::Memo,
    offer::EngineOffer,
    places::{Place, Places, Reserved},
    shares::{Asks, Ending, Refusal},
    transport::Transport,
};

/// Deliveries claimed in one call. A few of these make what one webhook may have under way: while some are sent, others are claimed and
/// recorded.
const BATCH: usize = 32;

/// The same where claims take [`LONG`]: there it counts how much each of them brings.
const LARGE_BATCH: usize = 128;

/// How long a claim takes where commits are slow or the server is far away.
const LONG: Duration = Duration::from_millis(10);

/// The longest sleep; the safety net under wake-ups and timers.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// The shortest sleep.
const MIN_SLEEP: Duration = Duration::from_millis(2);

/// After how long an attempt is counted among those that take long.
const SLOW: Duration = Duration::from_secs(1);

/// The pause after nothing of what is due had a place. It doubles each time and halves when something had one, so that asking in vain costs
/// little, however much is due.
const BREATH: Duration = Duration::from_millis(1);

/// From here on a place that is given back ends the pause.
const DEEP_BREATH: Duration = Duration::from_millis(20);

/// How long it becomes while nothing changes: then what else becomes due is found that late.
const LONGEST_BREATH: Duration = Duration::from_millis(320);

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
    /// Something is due that may have no place now; so many others were claimed.
    Waiting(usize),
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
    pub(crate) places: Arc<Places>,
    /// The hosts of webhooks' URLs.
    pub(crate) hosts: Memo<Option<String>>,
    /// How many deliveries the next claim asks for.
    batch: AtomicUsize,
    changed: Notify,
    pub(crate) jobs: JobSignals,
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
            places: Arc::default(),
            hosts: Memo::default(),
            batch: AtomicUsize::new(BATCH),
            changed: Notify::new(),
            jobs: JobSignals::default(),
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

    /// Claims what is due, one batch at most and as far as it may have places, and starts the attempts.
    pub async fn tick(self: &Arc<Self>) -> Result<Tick, StoreError> {
        let room = self.places.free().min(self.batch.load(Ordering::Relaxed));
        if room == 0 {
            return Ok(Tick::MayBeMore);
        }
        let offer = Arc::new(EngineOffer::new(self, room, Asks::WhatWaits));
        let began = Instant::now();
        let claimed = self.store.claim_due(self.clock.now(), Arc::clone(&offer) as _).await?;
        self.batch.store(if began.elapsed() < LONG { BATCH } else { LARGE_BATCH }, Ordering::Relaxed);
        let started = claimed.len();
        for claimed in claimed {
            if let Some(place) = offer.take(&claimed) {
                self.start(claimed, place);
            }
        }
        match (started, offer.has_refused()) {
            (started, _) if started == room => Ok(Tick::MayBeMore),
            (started, true) => Ok(Tick::Waiting(started)),
            (_, false) => self.store.next_due().await.map(Tick::IdleUntil),
        }
    }

    /// Ticks until [`Self::close`] is called.
    pub async fn run(self: Arc<Self>) {
        let (mut left_by_others, mut breath) = (self.watch_work().await, BREATH);
        while !self.is_closing() {
            let sleep = match self.tick().await {
                Ok(Tick::MayBeMore) => {
                    self.places.one_free().await;
                    continue;
                }
                Ok(Tick::Waiting(started)) => {
                    if started == 0 {
                        tokio::time::sleep(breath.min(DEEP_BREATH)).await;
                    }
                    breath = if started == 0 { (breath * 2).min(LONGEST_BREATH) } else { (breath / 2).max(BREATH) };
                    tokio::select! {
                        biased;
                        () = self.places.changed.notified() => {}
                        () = self.changed.notified() => {}
                        () = tokio::time::sleep(breath) => {}
                    }
                    tokio::select! {
                        biased;
                        () = left_by_others.rung() => self.jobs.changed.notify_one(),
                        () = std::future::ready(()) => {}
                    }
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
        self.places.close();
        self.changed.notify_one();
        self.jobs.changed.notify_one();
        tokio::time::timeout(limit, self.places.all_free()).await.is_ok()
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

    /// A lease from now on.
    pub(crate) fn lease(&self) -> Lease {
        let now = self.clock.now();
        let length = self.settings.request_timeout + self.settings.lease_margin;
        let until = now.saturating_add(length).unwrap_or(Timestamp::MAX);
        Lease { token: LeaseToken::generate(now, &*self.chance), until }
    }

    /// Makes the attempt in the background; the place is given back when it is recorded.
    pub(crate) fn start(self: &Arc<Self>, claimed: Claimed, mut place: Place) -> JoinHandle<Option<AttemptSummary>> {
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            let attempt = attempt::make(&engine, claimed);
            tokio::pin!(attempt);
            let summary = if let Ok(summary) = tokio::time::timeout(SLOW, &mut attempt).await {
                summary
            } else {
                place.slow();
                attempt.await
            };
            place.end(Ending::of(summary.as_ref()));
            summary
        })
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.places.is_closed()
    }

    pub(crate) fn note_change(&self) {
        self.changed.notify_one();
    }
}

impl Handoff for EngineHandoff {
    fn offer(&self) -> Arc<dyn Offer> {
        Arc::new(EngineOffer::new(&self.engine, usize::from(self.takes_what_is_due), Asks::WhatIsNew))
    }

    fn reserve_for_test(&self, organization: OrganizationId, webhook: WebhookId) -> Option<Box<dyn Reservation>> {
        let (engine, places) = (Arc::clone(&self.engine), &self.engine.places);
        let place = places.give(|shares, _| shares.admit_test(organization, webhook).ok_or(Refusal::Webhook)).ok()?;
        let lease = engine.lease();
        Some(Box::new(Reserved { engine, place, lease }))
    }

    fn wake(&self) {
        self.engine.note_change();
    }

    fn wake_redeliveries(&self) {
        self.engine.jobs.changed.notify_one();
    }
}
