//! What stands between a node and its store: calls that are refused, and calls that are carried out and whose answer is lost.
//!
//! A call is carried out in one piece, on the thread of whoever makes it: nothing else moves meanwhile, whatever threads the store
//! has of its own. That makes a simulation on a real store repeat itself.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
};

use preclinical_core::port::StoreError;
use preclinical_testkit::interception::Around;
use tokio::runtime::Handle;

use crate::dice::Dice;

#[derive(Clone)]
pub(crate) struct Weather(Arc<Conditions>);

struct Conditions {
    dice: Mutex<Dice>,
    /// How many calls of a thousand are refused, and how many answers are lost.
    storm: AtomicU32,
    calls: AtomicU64,
    /// Where the store's own tasks live, if it needs that.
    home: Option<Handle>,
}

impl Weather {
    pub(crate) fn new(dice: Dice, storm: u32, home: Option<Handle>) -> Self {
        let (dice, storm, calls) = (Mutex::new(dice), AtomicU32::new(storm), AtomicU64::new(0));
        Self(Arc::new(Conditions { dice, storm, calls, home }))
    }

    pub(crate) fn clear_up(&self) {
        self.0.storm.store(0, Ordering::Relaxed);
    }

    /// A number that grows with everything that happens, by which whoever waits for quiet knows it.
    pub(crate) fn count(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn note(&self) {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Carries a call to the store out in one piece.
    pub(crate) fn finish<T>(&self, call: impl Future<Output = T>) -> T {
        let _home = self.0.home.as_ref().map(Handle::enter);
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        // The budget of the task that asks is not refilled before the answer is there.
        let mut call = pin!(tokio::task::coop::unconstrained(call));
        loop {
            match call.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(answer) => return answer,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

impl Around for Weather {
    async fn around<T: Send, E: From<StoreError> + Send>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        self.note();
        let storm = self.0.storm.load(Ordering::Relaxed);
        let (refused, lost) = {
            let dice = self.0.dice.lock().unwrap();
            (dice.happens(storm), dice.happens(storm))
        };
        let error = |what: &str| StoreError::Unavailable(format!("{method} {what}"));
        if refused {
            return Err(error("was refused").into());
        }
        let answer = self.finish(call);
        if lost && answer.is_ok() { Err(error("was carried out, and its answer lost").into()) } else { answer }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
