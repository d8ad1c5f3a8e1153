//! What one durable commit costs on this disk.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::Connection;

use crate::figures;

/// Commits at most, and how long they may take in all.
const COMMITS: usize = 400;
const LIMIT: Duration = Duration::from_secs(5);

/// Commits that are not counted: the files grow and the caches fill.
const WARM_UP: usize = 20;

/// One writer, one small row a commit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Commits {
    /// The median of one commit.
    pub(crate) median: Duration,
    /// Commits a second, one after the other.
    pub(crate) per_second: f64,
}

/// Commits to a database in `folder` with the product's settings: WAL, `synchronous=FULL`.
pub(crate) fn measure(folder: &Path) -> anyhow::Result<Commits> {
    let connection = Connection::open(folder.join("commits.db"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute("CREATE TABLE facts (id INTEGER PRIMARY KEY, fact TEXT NOT NULL)", [])?;
    let mut insert = connection.prepare("INSERT INTO facts (fact) VALUES ('a run has ended')")?;
    for _ in 0..WARM_UP {
        insert.execute([])?;
    }
    let started = Instant::now();
    let mut took = Vec::with_capacity(COMMITS);
    while took.len() < COMMITS && started.elapsed() < LIMIT {
        let begun = Instant::now();
        insert.execute([])?;
        took.push(begun.elapsed());
    }
    let per_second = figures::rate(took.len(), started.elapsed());
    took.sort_unstable();
    Ok(Commits { median: took[took.len() / 2], per_second })
}

impl std::fmt::Display for Commits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ms each, {:.0}/s", figures::ms(self.median), self.per_second)
    }
}
