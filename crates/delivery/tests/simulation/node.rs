//! A node: an engine with its loops, a clock of its own, and a runtime in which nothing moves unless it is told to.
//!
//! It dies by its runtime being dropped: what was under way ends where it stood, and nothing of it is recorded. It sleeps by not being
//! told of the time that passes, as a process does that the system holds back.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    clock::Clock,
    port::{BEAT, Store},
};
use preclinical_delivery::{Engine, Presence, Redeliverer, Settings};
use preclinical_testkit::{chance::SeededChance, clock::ManualClock};
use tokio::runtime::{Builder, Runtime};

use crate::{
    receiver::{Receiver, Wire},
    weather::Weather,
};

/// The wall clock of a node: the true time, and how far it is off.
pub(crate) struct WallClock {
    truth: Arc<ManualClock>,
    off: Mutex<SignedDuration>,
}

impl WallClock {
    pub(crate) fn jump(&self, by: SignedDuration) {
        *self.off.lock().unwrap() += by;
    }

    pub(crate) fn set_right(&self) {
        *self.off.lock().unwrap() = SignedDuration::ZERO;
    }
}

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        self.truth.now() + *self.off.lock().unwrap()
    }
}

pub(crate) struct Node {
    pub(crate) number: u32,
    pub(crate) clock: Arc<WallClock>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) is_asleep: bool,
    /// It takes no work any more and goes when its attempts have ended.
    pub(crate) is_closing: bool,
    /// Others know by its beats that it lives.
    pub(crate) beats: bool,
    since_beat: Duration,
    missed: Duration,
    weather: Weather,
    runtime: Runtime,
}

impl Node {
    /// A clock for a node that is to be started.
    pub(crate) fn clock(truth: &Arc<ManualClock>) -> Arc<WallClock> {
        Arc::new(WallClock { truth: Arc::clone(truth), off: Mutex::default() })
    }

    pub(crate) fn start(
        number: u32,
        clock: Arc<WallClock>,
        store: Arc<dyn Store>,
        (receiver, weather): (Arc<Receiver>, Weather),
        (settings, chance): (Settings, SeededChance),
    ) -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let wire = Wire { node: number, receiver };
        let engine = Engine::new(Arc::clone(&store), clock.clone(), Arc::new(chance), wire, settings);
        runtime.spawn(Arc::clone(&engine).run());
        runtime.spawn(Redeliverer::new(&engine).run());
        let (is_asleep, is_closing, beats) = (false, false, false);
        let (since_beat, missed) = (Duration::ZERO, Duration::ZERO);
        Self { number, clock, store, engine, is_asleep, is_closing, beats, since_beat, missed, weather, runtime }
    }

    pub(crate) fn takes_calls(&self) -> bool {
        !self.is_asleep && !self.is_closing
    }

    /// Lets the node work until it waits for something.
    pub(crate) fn within<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(async {
            let result = work.await;
            let (mut quiet, mut seen) = (0, self.weather.count());
            while quiet < 4 {
                tokio::task::yield_now().await;
                let now = self.weather.count();
                quiet = if now == seen { quiet + 1 } else { 0 };
                seen = now;
            }
            result
        })
    }

    /// Tells the node of time that has passed.
    pub(crate) fn pass(&mut self, time: Duration) {
        if self.is_asleep {
            self.missed += time;
        } else {
            self.within(tokio::time::advance(time));
            self.since_beat += time;
            if self.beats && self.since_beat >= BEAT {
                self.beat();
            }
        }
    }

    /// Beats once, however much time has passed: the others have not had their turn.
    fn beat(&mut self) {
        self.since_beat = Duration::ZERO;
        self.within(async { drop(Presence::new(&self.engine).tick().await) });
    }

    /// Tells the node to end; answers whether its attempts have, and it is gone.
    pub(crate) fn close(&mut self) -> bool {
        self.is_closing = true;
        let has_ended = !self.is_asleep && self.within(async { self.engine.close(Duration::ZERO).await });
        if has_ended && self.beats {
            self.within(async { drop(self.store.leave(self.clock.now()).await) });
        }
        has_ended
    }

    /// Wakes a node that slept.
    pub(crate) fn wake(&mut self) {
        self.is_asleep = false;
        let missed = std::mem::take(&mut self.missed);
        self.pass(missed);
    }
}
