//! What one durable commit costs on this disk, to each store.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio_postgres::Client;

use crate::{
    figures,
    ground::{Ground, Store},
};

/// Commits at most, and how long they may take in all.
const COMMITS: usize = 400;
const LIMIT: Duration = Duration::from_secs(5);

/// Commits that are not counted: the files grow and the caches fill.
const WARM_UP: usize = 20;

/// Each is a row, by words that both stores understand.
const TABLE: &str = "CREATE TABLE facts (fact TEXT NOT NULL)";
const INSERT: &str = "INSERT INTO facts (fact) VALUES ('a run has ended')";

/// One writer, one small row a commit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Commits {
    /// The median of one commit.
    pub(crate) median: Duration,
    /// Commits a second, one after the other.
    pub(crate) per_second: f64,
}

/// Commits to a new database of that store, set as the product sets it.
pub(super) async fn measure(store: Store, scratch: &Path) -> anyhow::Result<Commits> {
    let ground = Ground::new(store, scratch).await?;
    let commits = match store {
        Store::Sqlite => {
            let file = ground.file();
            tokio::task::spawn_blocking(move || of_file(&file)).await??
        }
        Store::Postgres => of_server(&ground.connect().await?).await?,
    };
    ground.end().await?;
    Ok(commits)
}

/// WAL, `synchronous=FULL`.
fn of_file(file: &Path) -> anyhow::Result<Commits> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute(TABLE, [])?;
    let mut insert = connection.prepare(INSERT)?;
    let mut timing = Timing::default();
    while !timing.is_over() {
        let begun = Instant::now();
        insert.execute([])?;
        timing.note(begun.elapsed());
    }
    Ok(timing.end())
}

async fn of_server(client: &Client) -> anyhow::Result<Commits> {
    client.batch_execute(TABLE).await?;
    let insert = client.prepare(INSERT).await?;
    let mut timing = Timing::default();
    while !timing.is_over() {
        let begun = Instant::now();
        client.execute(&insert, &[]).await?;
        timing.note(begun.elapsed());
    }
    Ok(timing.end())
}

/// What each took.
#[derive(Default)]
struct Timing {
    /// Those that are not counted.
    before: usize,
    took: Vec<Duration>,
}

impl Timing {
    fn note(&mut self, took: Duration) {
        if self.before < WARM_UP {
            self.before += 1;
        } else {
            self.took.push(took);
        }
    }

    fn is_over(&self) -> bool {
        self.took.len() >= COMMITS || self.took.iter().sum::<Duration>() > LIMIT
    }

    fn end(mut self) -> Commits {
        self.took.sort_unstable();
        let median = self.took.get(self.took.len() / 2).copied().unwrap_or_default();
        Commits { median, per_second: figures::rate(self.took.len(), self.took.iter().sum()) }
    }
}

impl std::fmt::Display for Commits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ms each, {:.0}/s", figures::ms(self.median), self.per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_commits_are_not_counted() {
        let mut timing = Timing::default();
        for _ in 0..WARM_UP {
            timing.note(Duration::from_secs(100));
        }
        assert!(!timing.is_over());
        for ms in [1, 3, 2] {
            timing.note(Duration::from_millis(ms));
        }
        let commits = timing.end();
        assert_eq!((commits.median, commits.per_second.round().to_string()), (Duration::from_millis(2), "500".to_owned()));
    }

    #[test]
    fn a_slow_disk_ends_it_early() {
        let mut timing = Timing { before: WARM_UP, ..Timing::default() };
        timing.note(LIMIT);
        assert!(!timing.is_over());
        timing.note(Duration::from_millis(1));
        assert!(timing.is_over());
    }
}
