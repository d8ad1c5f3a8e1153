//! Which proofs there are, on which store, and how large.

use std::time::Duration;

use clap::ValueEnum;
use torture::{
    outcome::Outcome,
    proof::{self, Copied, Flushing, Load, Outage, PowerCuts},
    site::{Ground, Store},
};

/// How large a run is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// To see that everything works.
    Short,
    /// What the documents speak of.
    Long,
}

/// One proof.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Proof {
    /// Nothing is broken
    Control,
    /// The node is killed
    Killed,
    /// The node is asked to end
    Terminated,
    /// The node is asked to end while the receiver hangs
    Silent,
    /// Many callers end the same runs at once
    Contested,
    /// A node dies, and another one takes over
    LostNode,
    /// The database is lost, and its backup restored
    Restored,
    /// The disk is full
    FullDisk,
    /// The disk keeps nothing
    DiskErrors,
    /// Another process locks the database
    Locked,
    /// The power is cut before each flush, and what may be left of the disk is opened
    PowerCut,
    /// The database server is restarted
    Restarts,
    /// The sessions of the database server are ended
    Terminations,
    /// There is no database server for a while
    Absence,
    /// One of two nodes stands still, and goes on
    Paused,
    /// One of two nodes stands still in the middle of its transactions
    Frozen,
}

impl Proof {
    /// Those that a store can be put to.
    pub(crate) fn of(store: Store) -> impl Iterator<Item = Self> {
        Self::value_variants().iter().copied().filter(move |proof| match proof {
            Self::Control
            | Self::Killed
            | Self::Terminated
            | Self::Silent
            | Self::Contested
            | Self::LostNode
            | Self::Restored => true,
            Self::FullDisk | Self::DiskErrors | Self::Locked | Self::PowerCut => store == Store::Sqlite,
            Self::Restarts | Self::Terminations | Self::Absence | Self::Paused | Self::Frozen => store == Store::Postgres,
        })
    }

    /// As it is named on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Carries it out.
    pub(crate) async fn run(self, ground: &Ground, size: Size) -> anyhow::Result<Outcome> {
        let of = |short, long| if size == Size::Short { short } else { long };
        let load = |short, long| Load { completions: of(short, long), connections: 32 };
        let seconds = |short, long| Duration::from_secs(if size == Size::Short { short } else { long });
        let others = |count| if ground.store == Store::Postgres { count } else { 0 };
        match self {
            Self::Control => proof::killed(ground, load(500, 10_000), 0, others(3)).await,
            Self::Killed => proof::killed(ground, load(500, 10_000), of(10, 200), others(1)).await,
            Self::Terminated => proof::terminated(ground, load(500, 10_000), of(5, 100)).await,
            Self::Silent => proof::silent_receiver(ground, load(200, 2000)).await,
            Self::Contested => proof::contested(ground, Load { completions: of(20, 200), connections: 64 }).await,
            Self::DiskErrors => proof::disk_errors(ground, load(500, 5000)).await,
            Self::FullDisk => proof::full_disk(ground, load(1000, 4000)).await,
            Self::Locked => proof::locked(ground, load(500, 5000), seconds(7, 20)).await,
            Self::PowerCut => {
                let cuts = PowerCuts { callers: 8, rounds: of(8, 30), starts: of(2, 4), torn: of(1, 10) };
                proof::power_cut(ground.seed, &std::env::current_exe()?, Flushing::EachCommit, cuts).await
            }
            Self::Restarts => proof::outage(ground, load(500, 10_000), Outage::Restarts(of(2, 20))).await,
            Self::Terminations => proof::outage(ground, load(500, 10_000), Outage::Terminations(of(3, 30))).await,
            Self::Absence => proof::outage(ground, load(500, 5000), Outage::Absence(seconds(3, 30))).await,
            Self::LostNode => proof::lost_node(ground, load(200, 2000), taken_over(ground.store, size)).await,
            Self::Frozen => proof::frozen(ground, load(500, 2000)).await,
            Self::Restored => proof::restored(ground, load(500, 10_000), Copied::AsDocumented).await,
            Self::Paused => {
                proof::paused(ground, load(100, 400), if size == Size::Short { Duration::ZERO } else { 3 * proof::LEASE })
                    .await
            }
        }
    }
}

/// Within that time a dead node's work is done. A short run may be one on a busy machine, and states no time.
const fn taken_over(store: Store, size: Size) -> Duration {
    match (size, store) {
        (Size::Short, _) => Duration::from_mins(1),
        (Size::Long, Store::Sqlite) => Duration::from_secs(2),
        (Size::Long, Store::Postgres) => Duration::from_secs(10),
    }
}
