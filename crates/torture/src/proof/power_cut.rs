//! The power goes while the embedded store works.

mod inspection;
mod work;

use std::{collections::BTreeSet, path::Path};

use anyhow::{anyhow, bail};
use preclinical_store_sqlite::SqliteStore;
use preclinical_testkit::world::vault;

pub use self::work::work_if_asked;
use self::{inspection::Inspector, work::work};
use super::in_time;
use crate::{
    checker::Findings,
    dice::Dice,
    disk::{Cut, Disk, Remains, Step},
    outcome::Outcome,
    site::Store,
};

const PROOF: &str = "power cut";

/// The database's file, and its log.
const FILE: &str = "w.db";
const LOG: &str = "w.db-wal";

/// How much is done before the power is cut, and how many ways of losing something are tried.
#[derive(Debug, Clone, Copy)]
pub struct PowerCuts {
    /// Calls under way at once.
    pub callers: usize,
    /// Runs that each caller ends between a start of the store and the next.
    pub rounds: usize,
    /// Starts of the store on the same disk.
    pub starts: usize,
    /// Disks on which anything may be torn, at each cut, besides those that keep everything, nothing, or everything up to a moment.
    pub torn: usize,
}

/// When the store flushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flushing {
    /// Before it answers, as it does when it is served.
    EachCommit,
    /// When its log is written back: a control, which loses what was acknowledged.
    Checkpoints,
    /// Not at all: a control, which loses databases.
    Never,
}

impl Flushing {
    fn named(name: &str) -> anyhow::Result<Self> {
        match [Self::EachCommit, Self::Checkpoints, Self::Never].into_iter().find(|one| format!("{one:?}") == name) {
            Some(flushing) => Ok(flushing),
            None => bail!("nobody flushes {name}"),
        }
    }

    fn open(self, path: &Path) -> anyhow::Result<SqliteStore> {
        let opened = match self {
            Self::EachCommit => SqliteStore::open_exclusively(path, vault()),
            Self::Checkpoints => SqliteStore::open_without_durability(path, vault(), "NORMAL"),
            Self::Never => SqliteStore::open_without_durability(path, vault(), "OFF"),
        };
        opened.map_err(|error| anyhow!("{}: {error}", path.display()))
    }
}

/// Has the store create and end runs and record attempts on a disk that remembers every step. Then cuts the power before each flush that
/// it made, and opens what may be left of the disk, several possibilities each time.
///
/// Whatever was answered before the cut is there, whatever is there is there as a whole, and the store goes on with it. The work is done
/// by that program, which begins with [`work_if_asked`].
pub async fn power_cut(seed: u64, worker: &Path, flushing: Flushing, size: PowerCuts) -> anyhow::Result<Outcome> {
    let disk = match Disk::mount() {
        Ok(disk) => disk,
        Err(error) => {
            let why = format!("needs a file system of its own (/dev/fuse, and root or fusermount3): {error}");
            return Ok(Outcome::skipped(PROOF, Store::Sqlite, &why));
        }
    };
    in_time("work", work(&disk, worker, flushing, size)).await??;
    disk.until_closed()?;
    let (steps, promises) = work::read(disk.steps())?;
    drop(disk);

    let (mut inspector, mut remains, dice) = (Inspector::new()?, Remains::default(), Dice::new(seed, PROOF));
    let (mut cuts, mut broken) = (0, Vec::new());
    let kinds = [Cut::Bare, Cut::Whole, Cut::InOrder].into_iter().chain(std::iter::repeat_n(Cut::Torn, size.torn));
    for (at, step) in steps.iter().chain([&Step::FolderFlushed]).enumerate() {
        if step.is_flush() {
            cuts += 1;
            let before = &promises[..promises.partition_point(|promise| promise.at <= at)];
            for cut in kinds.clone() {
                let wrong = inspector.look(&remains.cut(cut, &dice), before).await?;
                broken.extend(wrong.map(|wrong| format!("{wrong} (power cut at step {at}, {cut:?})")));
            }
        }
        remains.follow(step);
    }
    let did = format!("{cuts} cuts, {} disks opened", inspector.looked);
    let findings = Findings { accepted: promises.len(), broken, ..Findings::default() };
    let (flushes, restarts) = (steps.iter().filter(|step| step.is_flush()).count(), restarts(&steps));
    let counted = format!("{flushes} flushes, log begun anew {restarts} times");
    let mut outcome = Outcome::of(PROOF, Store::Sqlite, did, findings).counting(counted);
    if flushing == Flushing::EachCommit {
        outcome = outcome
            .requiring(restarts > 0, || "too little: the log was never begun anew".to_owned())
            .requiring(flushes < promises.len(), || "no commit carried several calls".to_owned());
        outcome.files = inspector.keep();
    }
    Ok(outcome)
}

/// How often the log was written anew from its beginning, because all of it had been written back.
fn restarts(steps: &[Step]) -> usize {
    let mut logs = BTreeSet::new();
    for step in steps {
        if let Step::Named { name, file } = step
            && name == LOG
        {
            logs.insert(*file);
        }
    }
    let begun = steps.iter().filter(|step| matches!(step, Step::Written { file, at: 0, .. } if logs.contains(file))).count();
    begun.saturating_sub(logs.len())
}
