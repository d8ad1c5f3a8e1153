//! What is measured, and how much of it.

use std::{path::PathBuf, time::Duration};

use clap::ValueEnum;

use crate::{ground::Store, senders::Sender};

/// The parts, in the order in which they are measured and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Bare loop, bare relay, end to end and backlog drain on both stores, other senders
    Speed,
    /// Durable commits, and the way of a webhook at 20 runs a second
    Latency,
    /// Memory and wake-ups while nothing happens, start of the process, size of the binary
    Idle,
    /// A healthy endpoint beside thousands that hang
    Hanging,
    /// Claims, latency and memory beside retries that wait
    Pending,
    /// Lists and completions beside a long history
    History,
}

impl Part {
    pub(crate) const ALL: [Self; 6] = [Self::Speed, Self::Latency, Self::Idle, Self::Hanging, Self::Pending, Self::History];

    /// As it is headed in the document.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Speed => "Speed",
            Self::Latency => "Latency",
            Self::Idle => "Idle",
            Self::Hanging => "A healthy endpoint beside thousands that hang",
            Self::Pending => "Retries that wait",
            Self::History => "A long history",
        }
    }
}

/// How much of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Quick,
    Ordinary,
    Full,
}

/// The counts that follow from it, each of which can be said otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// Rounds of each part.
    pub(crate) rounds: u32,
    /// Webhooks per measurement of throughput.
    pub(crate) deliveries: usize,
    /// Deliveries of the backlog.
    pub(crate) backlog: usize,
    /// Runs completed at a steady pace, for each measurement of latency.
    pub(crate) paced: usize,
    /// Endpoints that hang.
    pub(crate) endpoints: u32,
    /// Runs of the healthy one beside them, in each situation.
    pub(crate) of_healthy: usize,
    /// Retries that wait.
    pub(crate) pending: u32,
    /// Due deliveries that are claimed beside them.
    pub(crate) claims: usize,
    /// Deliveries in the history.
    pub(crate) history: u32,
    /// Starts of the process in each round.
    pub(crate) starts: u32,
    /// How long nothing happens before memory is read.
    pub(crate) idle: Duration,
}

impl Size {
    pub(crate) const fn sizes(self) -> Sizes {
        let ordinary = Sizes {
            rounds: 3,
            deliveries: 20_000,
            backlog: 50_000,
            paced: 200,
            endpoints: 10_000,
            of_healthy: 600,
            pending: 200_000,
            claims: 5_000,
            history: 1_000_000,
            starts: 10,
            idle: Duration::from_secs(10),
        };
        match self {
            Self::Quick => Sizes {
                rounds: 1,
                deliveries: 2_000,
                backlog: 20_000,
                paced: 60,
                endpoints: 500,
                of_healthy: 60,
                pending: 20_000,
                claims: 2_000,
                history: 20_000,
                starts: 3,
                idle: Duration::from_secs(10),
            },
            Self::Ordinary => ordinary,
            Self::Full => Sizes { backlog: 100_000, pending: 1_000_000, history: 10_000_000, ..ordinary },
        }
    }
}

/// What all measurements have in common.
pub(crate) struct Plan {
    pub(crate) sizes: Sizes,
    /// Connections of the load generator.
    pub(crate) connections: usize,
    pub(crate) stores: Vec<Store>,
    pub(crate) senders: Vec<Box<dyn Sender>>,
    /// The product's release binary.
    pub(crate) server: PathBuf,
    /// Where databases are put: on a real disk.
    pub(crate) scratch: PathBuf,
}

#[cfg(test)]
impl Plan {
    /// A plan by which nothing can be measured.
    pub(crate) fn of_size(size: Size) -> Self {
        Self {
            sizes: size.sizes(),
            connections: 64,
            stores: vec![Store::Sqlite, Store::Postgres],
            senders: crate::senders::all(),
            server: PathBuf::new(),
            scratch: PathBuf::new(),
        }
    }
}
