//! What waits while others of its kind are under way goes with the next of them: one transaction carries many, and who comes alone waits
//! for nobody. The larger the groups, the less each costs; so there is one transaction at a time, and others beside it only once they
//! have full groups, however long the first one takes.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
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
    /// Somebody is to serve the line, until [`Lines::next`] has nothing more.
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

    /// The next that go together, in their order. If there are none, whoever serves the line leaves it.
    pub(crate) fn next(&self, key: K) -> Vec<W> {
        let mut waiting = self.lock();
        let Some(line) = waiting.lines.get_mut(&key) else { return Vec::new() };
        let count = line.waiting.len().min(self.most);
        let next: Vec<W> = line.waiting.drain(..count).collect();
        if next.is_empty() {
            line.servers -= 1;
            if line.servers == 0 {
                waiting.lines.remove(&key);
            }
        }
        waiting.count -= count;
        next
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<K, W>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
