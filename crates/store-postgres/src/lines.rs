//! What waits while others of its kind are under way goes with the next of them: one transaction carries many, and who comes alone waits
//! for nobody. The larger the groups, the less each costs; so there is one transaction at a time, and others beside it only once they
//! have full groups, however long the first one takes.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use preclinical_core::port::StoreError;
use tokio::sync::oneshot;

use crate::{
    failure::{Failure, unavailable},
    transaction::CALL_LIMIT,
};

/// How much may wait in all lines. Beyond it the store says that it is unavailable instead of growing.
const MAX_WAITING: usize = 4096;

/// Lines in which calls wait: one for each key, so that what holds up one of them holds up no other.
pub(crate) struct Lines<K, W> {
    /// Transactions under way at once for a line at most.
    servers: usize,
    /// Calls that share a transaction at most.
    most: usize,
    waiting: Mutex<Waiting<K, W>>,
}

struct Waiting<K, W> {
    lines: HashMap<K, Line<W>>,
    count: usize,
}

struct Line<W> {
    waiting: VecDeque<W>,
    servers: usize,
}

/// What has to be done for a call that has joined a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// Nothing: whoever serves the line comes to it.
    Waits,
    /// Somebody is to serve the line, until [`Serving::next`] has nothing more.
    ToBeServed,
    /// There is no room.
    TooMany,
}

impl<K: Copy + Eq + Hash, W> Lines<K, W> {
    pub(crate) fn new(servers: usize, most: usize) -> Self {
        Self { servers, most, waiting: Mutex::new(Waiting { lines: HashMap::new(), count: 0 }) }
    }

    pub(crate) fn join(&self, key: K, call: W) -> Joined {
        let mut waiting = self.lock();
        if waiting.count >= MAX_WAITING {
            return Joined::TooMany;
        }
        waiting.count += 1;
        let line = waiting.lines.entry(key).or_insert_with(|| Line { waiting: VecDeque::new(), servers: 0 });
        line.waiting.push_back(call);
        if line.servers > 0 && (line.servers >= self.servers || line.waiting.len() < self.most) {
            return Joined::Waits;
        }
        line.servers += 1;
        Joined::ToBeServed
    }

    /// Serves a line that is to be served.
    pub(crate) fn serve(&self, key: K) -> Serving<'_, K, W> {
        Serving { lines: self, key, has_left: false }
    }

    /// The next that go together, in their order. If there are none, whoever serves the line leaves it.
    fn next(&self, key: K) -> Vec<W> {
        let mut waiting = self.lock();
        let Some(line) = waiting.lines.get_mut(&key) else { return Vec::new() };
        let count = line.waiting.len().min(self.most);
        let next: Vec<W> = line.waiting.drain(..count).collect();
        waiting.count -= count;
        if next.is_empty() {
            waiting.leave(key);
        }
        next
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<K, W>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash, W> Waiting<K, W> {
    /// One who serves a line leaves it; with those who wait there if nobody else serves it.
    fn leave(&mut self, key: K) -> VecDeque<W> {
        let Some(line) = self.lines.get_mut(&key) else { return VecDeque::new() };
        line.servers -= 1;
        if line.servers > 0 {
            return VecDeque::new();
        }
        let abandoned = self.lines.remove(&key).map(|line| line.waiting).unwrap_or_default();
        self.count -= abandoned.len();
        abandoned
    }
}

/// Serves a line. Should it break off, those who wait are let go unless somebody else serves them, and who comes next finds the line
/// as if nobody had been there.
pub(crate) struct Serving<'a, K: Copy + Eq + Hash, W> {
    lines: &'a Lines<K, W>,
    key: K,
    has_left: bool,
}

impl<K: Copy + Eq + Hash, W> Serving<'_, K, W> {
    /// The next that go together, in their order. If there are none, the line is left.
    pub(crate) fn next(&mut self) -> Vec<W> {
        let next = self.lines.next(self.key);
        self.has_left = next.is_empty();
        next
    }
}

impl<K: Copy + Eq + Hash, W> Drop for Serving<'_, K, W> {
    fn drop(&mut self) {
        if !self.has_left {
            let abandoned = self.lines.lock().leave(self.key);
            drop(abandoned);
        }
    }
}

/// What a call that waits is answered, as soon as it would be if it waited for nobody: it says that the store is unavailable then.
pub(crate) async fn answer_of<T, E: From<StoreError>>(answer: &mut oneshot::Receiver<Result<T, E>>) -> Result<T, E> {
    match tokio::time::timeout(CALL_LIMIT, answer).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(StoreError::Unavailable("the store was closed".to_owned()).into()),
        Err(_) => Err(unavailable(Failure::TooSlow).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_where_the_server_broke_off_is_let_go_and_who_comes_next_is_served() {
        let lines = Lines::new(1, 2);
        let calls: Vec<_> = (0..4).map(std::sync::Arc::new).collect();
        assert_eq!(lines.join('a', calls[0].clone()), Joined::ToBeServed);
        assert_eq!(lines.join('b', calls[1].clone()), Joined::ToBeServed);
        let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut serving = lines.serve('a');
            let group = serving.next();
            assert_eq!(lines.join('a', calls[2].clone()), Joined::Waits);
            std::panic::resume_unwind(Box::new(group));
        }));
        assert!(broken.is_err());
        assert_eq!(std::sync::Arc::strong_count(&calls[2]), 1, "let go");
        assert_eq!(lines.join('a', calls[3].clone()), Joined::ToBeServed);
        assert_eq!(lines.lock().count, 2, "nothing is counted that does not wait");
        assert_eq!(lines.serve('b').next(), [calls[1].clone()]);
    }

    #[test]
    fn one_of_two_that_serve_a_line_breaks_off_and_the_other_goes_on() {
        let lines = Lines::new(2, 1);
        assert_eq!(lines.join((), 1), Joined::ToBeServed);
        let mut other = lines.serve(());
        assert_eq!(other.next(), [1]);
        assert_eq!(lines.join((), 2), Joined::ToBeServed);
        drop(lines.serve(()));
        assert_eq!(other.next(), [2]);
        assert!(other.next().is_empty());
        drop(other);
        assert_eq!(lines.join((), 3), Joined::ToBeServed);
    }

    #[test]
    fn who_comes_alone_goes_at_once_and_who_waits_goes_together() {
        let lines = Lines::new(2, 3);
        assert_eq!(lines.join('a', 1), Joined::ToBeServed);
        assert_eq!(lines.next('a'), [1]);
        assert_eq!(lines.join('a', 2), Joined::Waits);
        assert_eq!(lines.join('a', 3), Joined::Waits);
        assert_eq!(lines.join('b', 7), Joined::ToBeServed);
        assert_eq!(lines.next('a'), [2, 3]);
        assert!(lines.next('a').is_empty());
        assert_eq!(lines.join('a', 4), Joined::ToBeServed);
        assert_eq!(lines.next('b'), [7]);
    }

    #[test]
    fn another_transaction_begins_beside_one_that_lasts_when_a_full_group_waits() {
        let lines = Lines::new(2, 3);
        assert_eq!(lines.join((), 1), Joined::ToBeServed);
        assert_eq!(lines.next(()), [1]);
        assert_eq!([2, 3, 4].map(|call| lines.join((), call)), [Joined::Waits, Joined::Waits, Joined::ToBeServed]);
        assert_eq!(lines.next(()), [2, 3, 4]);
        assert_eq!([5, 6, 7].map(|call| lines.join((), call)), [Joined::Waits, Joined::Waits, Joined::Waits]);
    }

    #[test]
    fn lines_that_nobody_waits_in_are_forgotten() {
        let lines = Lines::new(1, 8);
        for call in 0..2 * MAX_WAITING {
            assert_eq!(lines.join(call, ()), Joined::ToBeServed);
            assert_eq!(lines.next(call).len(), 1);
            assert!(lines.next(call).is_empty());
        }
        assert!(lines.lock().lines.is_empty());
    }

    #[test]
    fn what_there_is_no_room_for_is_refused() {
        let lines = Lines::new(1, 8);
        assert_eq!(lines.join((), ()), Joined::ToBeServed);
        for _ in 1..MAX_WAITING {
            assert_eq!(lines.join((), ()), Joined::Waits);
        }
        assert_eq!(lines.join((), ()), Joined::TooMany);
        assert_eq!(lines.next(()).len(), 8);
        assert_eq!(lines.join((), ()), Joined::Waits);
    }
}
