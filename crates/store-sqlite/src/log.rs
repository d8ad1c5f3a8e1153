//! The write-ahead log, on its way back into the file: by the writer, after it has answered everybody whose commit it was.
//!
//! By nobody else: a pass beside a writer ends before the log does and is not flushed, and what the disk could not keep of it would not be
//! written again.

use rusqlite::Connection;

/// Pages in the log from which on they are written back, 16 MiB: most are written to the log many times until then, and once to the file. A
/// start after a crash reads them all, which takes some milliseconds.
const PAGES: i64 = 4000;

/// The log of one writer.
#[derive(Default)]
pub(crate) struct Log {
    is_stuck: bool,
}

impl Log {
    /// Writes it back if it is long enough. If that fails nothing is lost, for the log holds it, and it is tried again after the next
    /// commit.
    pub(crate) fn write_back(&mut self, connection: &Connection) {
        let written = pages(connection)
            .and_then(|pages| if pages < PAGES { Ok(()) } else { checkpoint(connection, "PASSIVE").map(drop) });
        match written {
            Ok(()) => self.is_stuck = false,
            Err(_) if self.is_stuck => {}
            Err(error) => {
                self.is_stuck = true;
                tracing::error!(%error, "the log cannot be written back, and grows");
            }
        }
    }
}

/// How long it is.
fn pages(connection: &Connection) -> rusqlite::Result<i64> {
    checkpoint(connection, "NOOP")
}

/// Answers how many pages the log has.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<i64> {
    connection.prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))?.query_row([], |row| row.get(1))
}
