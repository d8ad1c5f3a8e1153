//! The streams that are open: how many, what keeps them alive, and what ends them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;
use uuid::Uuid;

use crate::error::ApiError;

/// The time between two beats: well below the minute after which proxies give a silent connection up.
const BEAT: Duration = Duration::from_secs(20);

/// How many streams may be open at once.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// Of one key, or of one member.
    pub per_key: usize,
    /// In all.
    pub in_all: usize,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self { per_key: 16, in_all: 512 }
    }
}

/// All streams of the server.
pub struct Streams {
    limits: StreamLimits,
    open: Mutex<HashMap<Uuid, usize>>,
    signal: watch::Sender<Signal>,
}

/// What is told to all streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// Some time has passed.
    Beat,
    /// The server ends.
    End,
}

impl Streams {
    /// None yet.
    pub fn new(limits: StreamLimits) -> Arc<Self> {
        Arc::new(Self { limits, open: Mutex::default(), signal: watch::channel(Signal::Beat).0 })
    }

    /// Makes every stream send its ping and look whether it is still admitted.
    pub fn beat(&self) {
        self.signal.send_if_modified(|signal| *signal == Signal::Beat);
    }

    /// Beats every 20 seconds until [`Self::close`] is called.
    pub async fn run(self: Arc<Self>) {
        let mut signal = self.signal.subscribe();
        loop {
            let closed = signal.wait_for(|signal| *signal == Signal::End);
            if tokio::time::timeout(BEAT, closed).await.is_ok() {
                return;
            }
            self.beat();
        }
    }

    /// Ends every stream, and takes no new one.
    pub fn close(&self) {
        self.signal.send_replace(Signal::End);
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.counts().values().sum()
    }

    /// Room for one more, if there is.
    pub(super) fn enter(self: &Arc<Self>, of: Uuid) -> Result<Room, ApiError> {
        let signal = self.signal.subscribe();
        let mut counts = self.counts();
        if *signal.borrow() == Signal::End {
            return Err(ApiError::unavailable("the server is about to end"));
        }
        if counts.values().sum::<usize>() >= self.limits.in_all {
            return Err(ApiError::unavailable("the server has as many event streams open as it can; try again in a moment"));
        }
        let of_key = counts.entry(of).or_default();
        if *of_key >= self.limits.per_key {
            let most = self.limits.per_key;
            return Err(ApiError::busy(&format!("{most} event streams are open already under this key; close one first")));
        }
        *of_key += 1;
        drop(counts);
        Ok(Room { streams: Arc::clone(self), of, signal })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The room of one stream; dropping it gives it back.
pub(super) struct Room {
    streams: Arc<Streams>,
    of: Uuid,
    signal: watch::Receiver<Signal>,
}

impl Room {
    /// The next signal.
    pub(super) async fn signal(&mut self) -> Signal {
        if self.signal.changed().await.is_err() {
            return Signal::End;
        }
        *self.signal.borrow()
    }

    /// A signal that nobody saw to yet.
    pub(super) fn pending_signal(&mut self) -> Option<Signal> {
        match self.signal.has_changed() {
            Ok(false) => None,
            Ok(true) => Some(*self.signal.borrow_and_update()),
            Err(_) => Some(Signal::End),
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut counts = self.streams.counts();
        if let Some(count) = counts.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.of);
            }
        }
    }
}
