//! The embedded store: one SQLite file, one writer that commits in groups, several readers.
//!
//! A method that returned `Ok` is on disk (`synchronous=FULL`): the writer answers only after the commit. Everything that waits
//! while a commit is under way goes into the next one, and one caller's refusal touches nobody else's work.
//!
//! Left out on purpose: leases between processes. One process at a time may [`serve`](SqliteStore::open_exclusively) a file.

mod access;
mod accounts;
mod administration;
mod backup;
mod candidates;
mod changes;
mod condition;
mod connection;
mod history;
mod idempotency;
mod intake;
mod log;
mod lookups;
mod migrations;
mod packing;
mod pool;
mod queue;
mod receiver;
mod redeliveries;
mod row;
mod sealing;
mod upkeep;
mod work;
mod writer;

use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use preclinical_core::{port::StoreError, vault::Vault};
use rusqlite::Connection;

pub use self::backup::{BackupError, back_up};
use self::{
    access::KnownKeys, changes::Bells, lookups::Lookups, pool::ReaderPool, queue::Turns, work::Work, writer::Writer,
};

const READERS: usize = 4;

/// Rows that can be looked up at once; one more waits for microseconds.
const LOOKUPS: usize = 4;

/// A handle to the store; clones share it.
#[derive(Clone)]
pub struct SqliteStore {
    writer: Arc<Writer>,
    readers: Arc<ReaderPool>,
    lookups: Arc<Lookups>,
    known_keys: Arc<KnownKeys>,
    vault: Arc<Vault>,
    bells: Arc<Bells>,
    turns: Arc<Mutex<Turns>>,
    exclusive: Option<Arc<File>>,
}

/// Why a database could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Another process serves it.
    InUse(PathBuf),
    /// It was written by a newer version of this program.
    TooNew,
    /// Its secrets were sealed with another key.
    WrongKey,
    /// The file system or SQLite refused.
    Failed(String),
}

impl std::error::Error for OpenError {}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InUse(path) => write!(f, "another process serves {}", path.display()),
            Self::TooNew => f.write_str("it was written by a newer version of this program"),
            Self::WrongKey => f.write_str("its secrets were sealed with another master key"),
            Self::Failed(cause) => f.write_str(cause),
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl SqliteStore {
    /// Opens the database, creating it if there is none, beside others that have it open or serve it. One of an earlier version is upgraded
    /// if nobody serves it.
    pub fn open(path: &Path, vault: Vault) -> Result<Self, OpenError> {
        create(path)?;
        Self::open_with(path, vault, None, connection::DURABLE)
    }

    /// Opens the database for serving; refuses while another process does.
    pub fn open_exclusively(path: &Path, vault: Vault) -> Result<Self, OpenError> {
        Self::open_locked(path, vault, connection::DURABLE)
    }

    /// The same with another `PRAGMA synchronous`, so that what was acknowledged may be lost with the power: for the controls of the
    /// proof that it is not, and for nobody else.
    #[doc(hidden)]
    pub fn open_without_durability(path: &Path, vault: Vault, synchronous: &str) -> Result<Self, OpenError> {
        Self::open_locked(path, vault, synchronous)
    }

    fn open_locked(path: &Path, vault: Vault, synchronous: &str) -> Result<Self, OpenError> {
        create(path)?;
        Self::open_with(path, vault, Some(Arc::new(lock(path)?)), synchronous)
    }

    fn open_with(path: &Path, vault: Vault, exclusive: Option<Arc<File>>, synchronous: &str) -> Result<Self, OpenError> {
        let mut writing = connection::open(path, synchronous)?;
        // An older program that serves it knows nothing of what a step changes. Nobody serves what is empty.
        let alone = if exclusive.is_none() && migrations::is_older(&writing)? { Some(lock(path)?) } else { None };
        migrations::run(&mut writing)?;
        drop(alone);
        if cfg!(debug_assertions) {
            changes::refuse_unnumbered(&writing)?;
        }
        sealing::check(&writing, &vault)?;
        let (bells, known_keys) = (Arc::<Bells>::default(), Arc::<KnownKeys>::default());
        let reading: rusqlite::Result<Vec<Connection>> = (0..READERS).map(|_| connection::open_reader(path)).collect();
        let looking_up: rusqlite::Result<Vec<Connection>> = (0..LOOKUPS).map(|_| connection::open_reader(path)).collect();
        Ok(Self {
            writer: Arc::new(Writer::start(writing, Arc::clone(&bells), Arc::clone(&known_keys))),
            readers: Arc::new(ReaderPool::start(reading?)),
            lookups: Arc::new(Lookups::on(looking_up?)),
            known_keys,
            vault: Arc::new(vault),
            bells,
            turns: Arc::default(),
            exclusive,
        })
    }

    async fn write<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        job: impl Fn(&Work<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.writer.run(job).await
    }

    /// For jobs that come by the hundred: they know what they have in [common](Work) with others of their group.
    async fn write_together<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        job: impl Fn(&Work<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.writer.run_together(job).await
    }

    /// Looks up a row that is known by its key, on the caller's thread: that is cheaper than waking another. Not for anything that
    /// reads more than a few pages.
    fn look_up<T>(&self, job: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.lookups.run(job)
    }

    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.run(job).await
    }
}

/// Creates the file if there is none. SQLite gives its companions the rights of this file, which holds secrets.
fn create(path: &Path) -> Result<(), OpenError> {
    private_file(path).map(drop).map_err(|error| OpenError::Failed(format!("{}: {error}", path.display())))
}

/// The lock of whoever serves the file. It lies beside the file itself, by whatever links the path leads there.
fn lock(path: &Path) -> Result<File, OpenError> {
    let file = path.canonicalize().map_err(|error| OpenError::Failed(format!("{}: {error}", path.display())))?;
    let mut lock_path = file.into_os_string();
    lock_path.push(".lock");
    let lock_path = PathBuf::from(lock_path);
    let lock = private_file(&lock_path).map_err(|error| OpenError::Failed(format!("{}: {error}", lock_path.display())))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(OpenError::Failed(error.to_string())),
    }
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
