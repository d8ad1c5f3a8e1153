//! Connections and how they are set up.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::OpenError;

/// Another process may hold the file for a moment, for a backup or to create a key.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const CACHED_STATEMENTS: usize = 64;

/// Pages that the writer keeps in memory at most: those that a full group changes, and the upper parts of all indexes. No more, for in a
/// file of less than 1 GiB SQLite looks through all of them at nearly every commit.
const WRITER_CACHE_KIB: i64 = 8 * 1024;

/// Older versions can corrupt a WAL when it is reset.
const OLDEST_SOUND_VERSION: i32 = 3_051_003;

const _: () = assert!(rusqlite::ffi::SQLITE_VERSION_NUMBER >= OLDEST_SOUND_VERSION);

/// Each commit is on disk before it returns.
pub(crate) const DURABLE: &str = "FULL";

/// The writing connection. Refuses a file system on which the settings that durability rests on do not take.
pub(crate) fn open(path: &Path, synchronous: &str) -> Result<Connection, OpenError> {
    let connection = set_up(path)?;
    let journal: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if journal != "wal" {
        return Err(OpenError::Failed(format!("its file system has no write-ahead log (journal_mode stays {journal})")));
    }
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    // A commit does not wait for what follows it: see `log.rs`.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(connection)
}

/// A connection that cannot write.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = set_up(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// A connection without any setting that lasts.
pub(crate) fn set_up(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    keep_plans(&connection)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(connection)
}

/// Otherwise a statement on a table with partial indexes is planned anew whenever a value is bound to it.
pub(crate) fn keep_plans(connection: &Connection) -> rusqlite::Result<bool> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
}
