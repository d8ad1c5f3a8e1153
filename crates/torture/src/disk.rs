//! A disk that remembers everything that was done to it, in order, so that the power can be cut at any point of it afterwards.
//!
//! It is a file system in memory for other processes of this user: one folder of plain files. This process must not use it itself: whoever
//! maps a file of it into memory may wait for an answer while nobody in the process can give one. Whatever it does not offer
//! (folders, links, other names, reserved space) it refuses, so nothing happens on it that it does not know of.
//! What of it may be left when the power goes is said in [`Remains`].

mod contents;
mod files;
mod guard;
mod remains;

use std::{
    io,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::ensure;
use fuser::BackgroundSession;
use tempfile::TempDir;

pub use self::{
    contents::{Contents, Step},
    remains::{Cut, Remains},
};
use self::{files::Files, guard::Guard};

/// After it whoever has a file open will not close it any more.
const PATIENCE: Duration = Duration::from_mins(1);

/// A mounted disk; it is unmounted when it is dropped, and also when this process dies.
pub struct Disk {
    state: Arc<State>,
    _session: BackgroundSession,
    _guard: Guard,
    folder: TempDir,
}

#[derive(Default)]
struct State {
    record: Mutex<Record>,
    closed: Condvar,
}

/// Everything that was done, and what came of it.
#[derive(Default)]
struct Record {
    contents: Contents,
    steps: Vec<Step>,
    /// How many open files there are.
    open: usize,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn carry_out(&mut self, step: Step) {
        self.contents.carry_out(&step);
        self.steps.push(step);
    }
}

impl Disk {
    /// An empty disk. Fails where this process may not mount one: it has to be root, or have `fusermount3` at hand.
    pub fn mount() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("torture-disk-").tempdir()?;
        let state = Arc::<State>::default();
        let guard = Guard::over(folder.path())?;
        let session = fuser::spawn_mount(Files::new(Arc::clone(&state)), folder.path(), &fuser::Config::default())?;
        Ok(Self { state, _session: session, _guard: guard, folder })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// All steps that were done to it, in order.
    pub fn steps(&self) -> Vec<Step> {
        self.state.lock().steps.clone()
    }

    /// Waits until nobody has a file of it open.
    pub fn until_closed(&self) -> anyhow::Result<()> {
        let waited = self.state.closed.wait_timeout_while(self.state.lock(), PATIENCE, |record| record.open > 0);
        let (record, _) = waited.unwrap_or_else(PoisonError::into_inner);
        ensure!(record.open == 0, "{} files stay open", record.open);
        Ok(())
    }
}
