//! What the write-ahead log holds, on its way back into the file: by a thread of its own, so that no commit waits for it.
//!
//! While others write without a pause, the log is never read to its end, and so never begins anew: the writer, which nobody can overtake,
//! writes back the rest when the log has grown to [`LONGEST_LOG`].

use crossbeam_channel::{Receiver, Sender, TrySendError};
use rusqlite::Connection;

/// Pages that are written back together: enough that most of them are written over in the log before they are, and not so many that the
/// disk has to take them all at once.
const PAGES: i64 = 1000;

/// Pages in the log after which a commit writes back what is left of it.
pub(crate) const LONGEST_LOG: i64 = 4000;

/// Where the writer says that it has committed.
pub(crate) struct Checkpoints(Sender<()>);

impl Checkpoints {
    /// Starts the thread; it ends when this is dropped.
    pub(crate) fn start(connection: Connection) -> Self {
        let (committed, commits) = crossbeam_channel::bounded(1);
        std::thread::spawn(move || serve(&connection, &commits));
        Self(committed)
    }

    /// There may be enough to be written back.
    pub(crate) fn note_commit(&self) {
        match self.0.try_send(()) {
            Ok(()) | Err(TrySendError::Full(())) => {}
            Err(TrySendError::Disconnected(())) => tracing::error!("nobody writes back the log but commits"),
        }
    }
}

fn serve(connection: &Connection, commits: &Receiver<()>) {
    while commits.recv().is_ok() {
        let written = length(connection).and_then(|pages| if pages < PAGES { Ok(()) } else { write_back(connection) });
        // Nothing is lost: the log holds it, and the next commit asks again.
        if let Err(error) = written {
            tracing::warn!(%error, "the log could not be written back");
        }
    }
}

/// Pages in the log that are not in the file yet.
fn length(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("PRAGMA wal_checkpoint(NOOP)")?
        .query_row([], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?))
}

fn write_back(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?.query_row([], |_| Ok(()))
}
