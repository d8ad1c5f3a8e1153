//! Places in the engine: each is held from before a delivery is written until its attempt is recorded.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use preclinical_core::{
    attempt::ErrorKind,
    delivery::{Claimed, Lease},
    port::{AttemptSummary, Reservation, Sent},
};
use tokio::{sync::Notify, time::Instant};

use crate::{
    engine::Engine,
    shares::{ALL, Ending, Refusal, Seat, Shares},
};

/// All of them.
#[derive(Debug)]
pub(crate) struct Places {
    start: Instant,
    shares: Mutex<Shares>,
    is_closed: AtomicBool,
    /// One was given back, or no more are given away.
    pub(crate) changed: Notify,
    all_free: Notify,
    /// A webhook took something that was not known to take anything: it may be owed a replay.
    pub(crate) recovered: Notify,
}

/// One of them. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    seat: Seat,
    ending: Ending,
}

/// One of them, with the lease under which the delivery must be written.
pub(crate) struct Reserved {
    pub(crate) engine: Arc<Engine>,
    pub(crate) place: Place,
    pub(crate) lease: Lease,
}

impl Ending {
    /// What an attempt says of its receiver; nothing if it was not recorded.
    pub(crate) fn of(summary: Option<&AttemptSummary>) -> Self {
        match summary {
            None => Self::Unknown,
            Some(AttemptSummary { delivered: true, .. }) => Self::Taken,
            Some(AttemptSummary { error: Some(error), .. }) if error.kind == ErrorKind::Timeout => Self::Hung,
            Some(_) => Self::Failed,
        }
    }
}

impl Default for Places {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            shares: Mutex::default(),
            is_closed: AtomicBool::new(false),
            changed: Notify::new(),
            all_free: Notify::new(),
            recovered: Notify::new(),
        }
    }
}

impl Places {
    /// Gives one away as the shares have it, unless no more are given away.
    pub(crate) fn give(
        self: &Arc<Self>,
        admit: impl FnOnce(&mut Shares, Duration) -> Result<Seat, Refusal>,
    ) -> Result<Place, Refusal> {
        let mut shares = self.shares();
        if self.is_closed() {
            return Err(Refusal::Everybody);
        }
        let seat = admit(&mut shares, self.since_start())?;
        Ok(Place { places: Arc::clone(self), seat, ending: Ending::Unknown })
    }

    /// How many nobody has; none if no more are given away.
    pub(crate) fn free(&self) -> usize {
        if self.is_closed() { 0 } else { self.shares().free() as usize }
    }

    /// Waits until one is free, or no more are given away.
    pub(crate) async fn one_free(&self) {
        while self.free() == 0 && !self.is_closed() {
            self.changed.notified().await;
        }
    }

    /// Gives no more away: whoever finds all of them free afterwards knows that they stay so.
    pub(crate) fn close(&self) {
        let shares = self.shares();
        self.is_closed.store(true, Ordering::Relaxed);
        drop(shares);
        self.changed.notify_one();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Waits until nobody has one.
    pub(crate) async fn all_free(&self) {
        loop {
            let all_free = self.all_free.notified();
            tokio::pin!(all_free);
            all_free.as_mut().enable();
            if self.shares().free() == ALL {
                return;
            }
            all_free.await;
        }
    }

    fn since_start(&self) -> Duration {
        self.start.elapsed()
    }

    fn shares(&self) -> MutexGuard<'_, Shares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The attempt takes long.
    pub(crate) fn slow(&mut self) {
        self.places.shares().slow(&mut self.seat);
    }

    /// Gives it back, knowing how the attempt ended.
    pub(crate) fn end(mut self, ending: Ending) {
        self.ending = ending;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let free = {
            let mut shares = self.places.shares();
            if shares.end(&self.seat, self.ending, self.places.since_start()) {
                self.places.recovered.notify_one();
            }
            shares.free()
        };
        self.places.changed.notify_one();
        if free == ALL {
            self.places.all_free.notify_waiters();
        }
    }
}

impl Reservation for Reserved {
    fn lease(&self) -> Lease {
        self.lease
    }

    fn send(self: Box<Self>, claimed: Claimed) -> Sent {
        let sending = self.engine.start(claimed, self.place);
        Box::pin(async move { sending.await.ok().flatten() })
    }
}
