//! Passwords are checked slowly on purpose, so few are checked at once, and whoever guesses has to wait.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    member::Email,
    password::{Password, PasswordHash},
};
use tokio::sync::Semaphore;

use crate::{app::App, error::ApiError};

/// How many are hashed at once; each takes 19 MiB.
const AT_ONCE: usize = 2;

/// How many may wait for that.
const WAITING: usize = 32;

/// How many wrong ones there may be for an address before it is refused, and for how long after the latest.
const GUESSES: u32 = 8;
const PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// How many addresses are remembered.
const ADDRESSES: usize = 10_000;

/// What is checked for an address that nobody has, so that it takes as long.
static NOBODY: LazyLock<PasswordHash> = LazyLock::new(PasswordHash::of_nobody);

/// What hashes and checks passwords.
pub(in crate::pages) struct Passwords {
    places: Semaphore,
    queue: Semaphore,
    wrong: Mutex<HashMap<Email, Guesses>>,
}

#[derive(Clone, Copy)]
struct Guesses {
    count: u32,
    latest: Timestamp,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { places: Semaphore::new(AT_ONCE), queue: Semaphore::new(AT_ONCE + WAITING), wrong: Mutex::default() }
    }
}

impl Passwords {
    /// What is stored of a password.
    pub(in crate::pages) async fn hash(&self, app: &App, password: Password) -> Result<PasswordHash, ApiError> {
        let chance = Arc::clone(&app.chance);
        self.slowly(move || password.hash(&*chance)).await
    }

    /// Whether a text is the password of that address. Without a hash it takes as long, and is not.
    pub(in crate::pages) async fn check(&self, hash: Option<PasswordHash>, text: String) -> Result<bool, ApiError> {
        self.slowly(move || {
            let matches = hash.as_ref().unwrap_or(&NOBODY).matches(&text);
            matches && hash.is_some()
        })
        .await
    }

    async fn slowly<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let busy = || ApiError::busy("too many people are signing in at this moment; try again");
        let _waiting = self.queue.try_acquire().map_err(|_| busy())?;
        let _place = self.places.acquire().await.map_err(|_| busy())?;
        tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal().because(error))
    }

    /// Counts an attempt as a wrong one before it is checked, so that many at once are no more than many one by one. `Err` is how
    /// long the address has to wait before the next one.
    pub(in crate::pages) fn begin(&self, email: &Email, now: Timestamp) -> Result<(), SignedDuration> {
        let mut wrong = self.wrong();
        if wrong.len() >= ADDRESSES {
            wrong.retain(|_, guesses| now.duration_since(guesses.latest) < PAUSE);
        }
        if wrong.len() >= ADDRESSES {
            wrong.clear();
        }
        let guesses = wrong.entry(email.clone()).or_insert(Guesses { count: 0, latest: now });
        let left = PAUSE - now.duration_since(guesses.latest);
        if !left.is_positive() {
            guesses.count = 0;
        }
        if guesses.count >= GUESSES {
            return Err(left);
        }
        *guesses = Guesses { count: guesses.count + 1, latest: now };
        Ok(())
    }

    /// Forgets the wrong ones: the right one came.
    pub(in crate::pages) fn succeeded(&self, email: &Email) {
        self.wrong().remove(email);
    }

    fn wrong(&self) -> MutexGuard<'_, HashMap<Email, Guesses>> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn whoever_guesses_has_to_wait_and_nobody_else() {
        let (passwords, ada, bob) =
            (Passwords::default(), "ada@example.com".parse().unwrap(), "b@example.com".parse().unwrap());
        for guess in 0..i64::from(GUESSES) {
            assert_eq!(passwords.begin(&ada, at(guess)), Ok(()));
        }
        assert_eq!(passwords.begin(&ada, at(7)), Err(PAUSE));
        assert_eq!(passwords.begin(&ada, at(7 + 299)), Err(SignedDuration::from_secs(1)));
        assert_eq!(passwords.begin(&bob, at(7)), Ok(()));
        assert_eq!(passwords.begin(&ada, at(7 + 300)), Ok(()));
    }

    #[test]
    fn a_right_password_forgets_the_wrong_ones() {
        let (passwords, ada) = (Passwords::default(), "ada@example.com".parse().unwrap());
        for _ in 0..3 {
            for _ in 0..GUESSES {
                assert_eq!(passwords.begin(&ada, at(0)), Ok(()));
            }
            passwords.succeeded(&ada);
        }
    }

    #[test]
    fn addresses_are_remembered_to_a_limit() {
        let passwords = Passwords::default();
        for number in 0..ADDRESSES + 10 {
            passwords.begin(&format!("{number}@example.com").parse().unwrap(), at(0)).unwrap();
        }
        assert!(passwords.wrong().len() <= ADDRESSES);
    }
}
