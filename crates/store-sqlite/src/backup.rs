//! A copy of a database that may be served meanwhile: one state of it, complete and closed.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};

use crate::{connection, migrations, private_file};

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file where it should go; none is replaced.
    #[error("there is a file {} already", .0.display())]
    Exists(PathBuf),
    /// What is there is no database of this program.
    #[error("{} is no database of this program", .0.display())]
    NoDatabase(PathBuf),
    /// The file system or SQLite refused.
    #[error("{0}")]
    Failed(String),
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Copies the database to a new file, which is there only once all of it is on disk and was found to be sound. Holds up no commit of
/// whoever serves the database; its log grows meanwhile. The master key is no part of it.
pub fn back_up(database: &Path, to: &Path) -> Result<(), BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let source = connection::set_up(database)?;
    if !migrations::is_ours(&source)? {
        return Err(BackupError::NoDatabase(database.to_owned()));
    }
    let unfinished = beside(to, ".unfinished");
    let copied = copy(&source, &unfinished, to);
    if copied.is_err() {
        fs::remove_file(&unfinished).ok();
    }
    copied
}

fn copy(source: &Connection, unfinished: &Path, to: &Path) -> Result<(), BackupError> {
    let failed = |error: io::Error| BackupError::Failed(format!("{}: {error}", unfinished.display()));
    // What an earlier try left behind; SQLite writes into an empty file, and leaves it its rights.
    fs::remove_file(unfinished)
        .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
        .map_err(failed)?;
    let file = private_file(unfinished).map_err(failed)?;
    source.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])?;
    check(unfinished)?;
    file.sync_all().map_err(failed)?;
    // A link, unlike a new name, replaces nothing.
    fs::hard_link(unfinished, to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
        _ => BackupError::Failed(format!("{}: {error}", to.display())),
    })?;
    fs::remove_file(unfinished).map_err(failed)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

fn check(copy: &Path) -> Result<(), BackupError> {
    let copy = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let verdict: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(BackupError::Failed(format!("the copy is damaged: {verdict}"))) }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}
