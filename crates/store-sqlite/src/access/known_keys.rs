//! Keys that were looked up a moment ago, so that a busy caller is not looked up for each of its calls: what is read from a file that
//! changes all the time is read from the disk's cache anew after each commit.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use preclinical_core::api_key::{ApiKey, ApiKeyHash};

/// How long a key is known. What this process does to it holds at once; another one, the command line beside a server, waits for that long
/// before it says that it is done.
pub(super) const KNOWN_FOR: Duration = Duration::from_millis(100);

/// Keys that are known at most.
const MOST: usize = 1024;

#[derive(Default)]
pub(crate) struct KnownKeys {
    known: Mutex<Known>,
    has_changed: AtomicBool,
}

#[derive(Default)]
struct Known {
    keys: HashMap<[u8; 32], (ApiKey, Timestamp)>,
    /// How often everything was forgotten.
    epoch: u64,
}

impl KnownKeys {
    /// The key, as `look_up` finds it or has found it a moment ago. What nobody knows is looked up each time.
    pub(super) fn get<E>(
        &self,
        hash: ApiKeyHash,
        at: Timestamp,
        look_up: impl FnOnce() -> Result<Option<ApiKey>, E>,
    ) -> Result<Option<ApiKey>, E> {
        let epoch = {
            let known = self.lock();
            // A clock that was set back is no reason to know it for longer.
            let is_fresh = |since| Duration::try_from(at.duration_since(since)).is_ok_and(|age| age < KNOWN_FOR);
            if let Some((key, since)) = known.keys.get(hash.bytes())
                && is_fresh(*since)
            {
                return Ok(Some(key.clone()));
            }
            known.epoch
        };
        let found = look_up()?;
        let mut known = self.lock();
        // What was read before a key changed is not remembered after that.
        if let Some(key) = found.as_ref().filter(|_| known.epoch == epoch) {
            if known.keys.len() >= MOST {
                known.keys.clear();
            }
            known.keys.insert(*hash.bytes(), (key.clone(), at));
        }
        Ok(found)
    }

    /// Notes that a key is changed, to be called by whoever writes that.
    pub(super) fn note_change(&self) {
        self.has_changed.store(true, Ordering::Release);
    }

    /// To be called by the writer after each commit, before whoever waits for it is told.
    pub(crate) fn forget_if_changed(&self) {
        if self.has_changed.swap(false, Ordering::AcqRel) {
            let mut known = self.lock();
            known.keys.clear();
            known.epoch += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use jiff::ToSpan;
    use preclinical_core::{
        id::{ApiKeyId, OrganizationId},
        scope::Scope,
    };
    use uuid::Uuid;

    use super::*;

    fn key(name: &str) -> ApiKey {
        ApiKey {
            id: ApiKeyId::from_uuid(Uuid::nil()),
            organization_id: OrganizationId::from_uuid(Uuid::nil()),
            name: name.to_owned(),
            scope: Scope::Write,
            prefix: String::new(),
            hash: ApiKeyHash::of("key"),
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
        }
    }

    fn seen(keys: &KnownKeys, at: Timestamp, stored: &str) -> String {
        let found = keys.get(ApiKeyHash::of("key"), at, || Ok::<_, Infallible>(Some(key(stored))));
        found.unwrap().unwrap().name
    }

    #[test]
    fn a_key_is_known_for_a_moment_and_no_longer_than_nobody_here_has_changed_one() {
        let (keys, now) = (KnownKeys::default(), Timestamp::UNIX_EPOCH + 1.hour());
        assert_eq!(seen(&keys, now, "a"), "a");
        assert_eq!(seen(&keys, now + 99.milliseconds(), "b"), "a");
        assert_eq!(seen(&keys, now + 100.milliseconds(), "b"), "b");
        assert_eq!(seen(&keys, now - 1.second(), "c"), "c", "the clock was set back");
        keys.forget_if_changed();
        assert_eq!(seen(&keys, now - 1.second(), "d"), "c", "nobody has changed one");
        keys.note_change();
        keys.forget_if_changed();
        assert_eq!(seen(&keys, now - 1.second(), "d"), "d");
    }

    #[test]
    fn what_was_read_before_a_change_is_not_known_after_it() {
        let (keys, now) = (KnownKeys::default(), Timestamp::UNIX_EPOCH);
        let read = || {
            keys.note_change();
            keys.forget_if_changed();
            Ok::<_, Infallible>(Some(key("before")))
        };
        keys.get(ApiKeyHash::of("key"), now, read).unwrap();
        assert_eq!(seen(&keys, now, "after"), "after");
    }
}
