//! Whether what is written is kept: what the latest commits said.
//!
//! A commit that failed makes the store unwell, and the next one that wrote something makes it well again. While it is unwell,
//! the writer adds a row of its own to each commit, so that one that had nothing to write proves nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use preclinical_core::port::StoreError;
use rusqlite::Connection;

use crate::row::unavailable;

/// How often an unwell store tries to write because somebody asks how it is.
const TRIED_EVERY: SignedDuration = SignedDuration::from_secs(1);

#[derive(Default)]
pub(crate) struct Condition(Mutex<Option<Trouble>>);

/// Why the latest commit failed, and when somebody who asked had a write tried.
struct Trouble {
    error: StoreError,
    tried_at: Option<Timestamp>,
}

/// What is known at a time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// The latest commit was kept, or none was tried yet.
    Well,
    /// It failed; whoever asks is to try one now.
    ToTry,
    /// It failed, and a try is under way or was a moment ago.
    Unwell(StoreError),
}

impl Condition {
    /// Takes down how a commit ended.
    pub(crate) fn note(&self, commit: &Result<(), StoreError>) {
        let mut trouble = self.trouble();
        let tried_at = trouble.as_ref().and_then(|trouble| trouble.tried_at);
        *trouble = commit.as_ref().err().map(|error| Trouble { error: error.clone(), tried_at });
    }

    /// What is known at `now`. Of several that ask within a second, one is to try.
    pub(crate) fn at(&self, now: Timestamp) -> Known {
        let mut trouble = self.trouble();
        let Some(trouble) = trouble.as_mut() else { return Known::Well };
        let is_recent = trouble.tried_at.is_some_and(|at| now.duration_since(at).abs() < TRIED_EVERY);
        if is_recent {
            return Known::Unwell(trouble.error.clone());
        }
        trouble.tried_at = Some(now);
        Known::ToTry
    }

    /// Makes the transaction write, if the latest one was not kept.
    pub(crate) fn prove(&self, connection: &Connection) -> Result<(), StoreError> {
        if self.trouble().is_none() {
            return Ok(());
        }
        // A row that stays as it is would not be written.
        let sql = "INSERT INTO facts (name, value) VALUES ('written_again', randomblob(8)) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        connection.execute(sql, []).map(drop).map_err(unavailable)
    }

    fn trouble(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
