//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, value_parser};

use crate::{
    ground::Store,
    plan::{Part, Plan, Size, Sizes},
    senders,
};

#[derive(Args)]
pub(crate) struct Options {
    /// A small run of everything, to see that it works
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// A backlog of 100,000, 1,000,000 retries that wait, a history of 10,000,000
    #[arg(long)]
    full: bool,
    /// Measure these parts alone, by commas; the others are written down as not measured
    #[arg(long, value_name = "PARTS", value_delimiter = ',', value_enum)]
    only: Vec<Part>,
    /// Stores that the product is measured on, by commas
    #[arg(long, value_name = "STORES", value_delimiter = ',', value_enum, default_values_t = [Store::Sqlite, Store::Postgres])]
    stores: Vec<Store>,
    /// Other senders to measure beside it, by commas; `none` for none [default: all that there is a driver for]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    senders: Vec<String>,
    /// Rounds of each part [default: 3, or 1 with --quick]
    #[arg(long, value_parser = value_parser!(u32).range(1..=20))]
    rounds: Option<u32>,
    /// Webhooks per measurement of throughput [default: 20000, or 2000 with --quick]
    #[arg(long, value_parser = value_parser!(u32).range(1..=200_000))]
    deliveries: Option<u32>,
    /// Deliveries of the backlog [default: 50000, 20000 with --quick, 100000 with --full]
    #[arg(long, value_parser = value_parser!(u32).range(1..=1_000_000))]
    backlog: Option<u32>,
    /// Endpoints beside the healthy one [default: 10000, or 500 with --quick]
    #[arg(long, value_parser = value_parser!(u32).range(1..=20_000))]
    endpoints: Option<u32>,
    /// Retries that wait [default: 200000, 20000 with --quick, 1000000 with --full]
    #[arg(long, value_parser = value_parser!(u32).range(1000..=20_000_000))]
    pending: Option<u32>,
    /// Deliveries in the history [default: 1000000, 20000 with --quick, 10000000 with --full]
    #[arg(long, value_parser = value_parser!(u32).range(1000..=20_000_000))]
    history: Option<u32>,
    /// Connections of the load generator
    #[arg(long, default_value_t = 64, value_parser = value_parser!(u32).range(1..=1024))]
    connections: u32,
    /// How long to wait for a quiet machine before each measurement, in seconds [default: 600, or 0 with --quick]
    #[arg(long)]
    patience: Option<u32>,
    /// Measure this binary instead of building one
    #[arg(long, value_name = "PATH")]
    pub(crate) server: Option<PathBuf>,
    /// Also write the figures between the two comments of this page, and the plot to images/benchmarks.svg beside it
    #[arg(long, value_name = "PATH")]
    pub(crate) write: Option<PathBuf>,
}

impl Options {
    const fn size(&self) -> Size {
        match (self.quick, self.full) {
            (true, _) => Size::Quick,
            (false, true) => Size::Full,
            (false, false) => Size::Ordinary,
        }
    }

    fn sizes(&self) -> Sizes {
        let sizes = self.size().sizes();
        let count = |given: Option<u32>, usual: usize| given.map_or(usual, |count| count as usize);
        Sizes {
            rounds: self.rounds.unwrap_or(sizes.rounds),
            deliveries: count(self.deliveries, sizes.deliveries),
            backlog: count(self.backlog, sizes.backlog),
            endpoints: self.endpoints.unwrap_or(sizes.endpoints),
            pending: self.pending.unwrap_or(sizes.pending),
            history: self.history.unwrap_or(sizes.history),
            ..sizes
        }
    }

    /// The parts that are asked for.
    pub(crate) fn parts(&self) -> Vec<Part> {
        if self.only.is_empty() { Part::ALL.to_vec() } else { self.only.clone() }
    }

    /// How long to wait for quiet.
    pub(crate) fn patience(&self) -> Duration {
        let usual = if self.quick { 0 } else { 600 };
        Duration::from_secs(self.patience.unwrap_or(usual).into())
    }

    /// The plan, but for the binary that is to be measured.
    pub(crate) fn plan(&self, scratch: PathBuf) -> anyhow::Result<Plan> {
        let senders = match &self.senders[..] {
            [] => senders::all(),
            [none] if none == "none" => Vec::new(),
            names => names.iter().map(|name| senders::named(name)).collect::<anyhow::Result<_>>()?,
        };
        Ok(Plan {
            sizes: self.sizes(),
            connections: self.connections as usize,
            stores: self.stores.clone(),
            senders,
            server: PathBuf::new(),
            scratch,
        })
    }

    /// How it was called, as far as it says what was measured.
    pub(crate) fn command(&self) -> String {
        let size = match self.size() {
            Size::Quick => " --quick",
            Size::Ordinary => "",
            Size::Full => " --full",
        };
        format!("bench{size}")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn options(line: &str) -> Options {
        Line::parse_from(std::iter::once("bench").chain(line.split_whitespace())).options
    }

    #[test]
    fn all_is_measured_on_both_stores_beside_all_senders_unless_it_is_said_otherwise() {
        let options = options("");
        assert_eq!(options.parts(), Part::ALL);
        let plan = options.plan(PathBuf::new()).unwrap();
        assert_eq!((plan.stores.len(), plan.senders.len()), (2, senders::all().len()));
    }

    #[test]
    fn parts_stores_and_senders_can_be_chosen() {
        let options = options("--only history,idle --stores sqlite --senders none");
        assert_eq!(options.parts(), [Part::History, Part::Idle]);
        let plan = options.plan(PathBuf::new()).unwrap();
        assert_eq!((plan.stores, plan.senders.len()), (vec![Store::Sqlite], 0));
        assert!(self::options("--senders nobody").plan(PathBuf::new()).is_err());
        assert!(Line::try_parse_from(["bench", "--only", "nothing"]).is_err());
        assert!(Line::try_parse_from(["bench", "--quick", "--full"]).is_err());
    }

    #[test]
    fn a_count_that_is_given_wins_over_the_size() {
        let of = |line: &str| options(line).sizes();
        assert_eq!((of("--full").backlog, of("--full").pending, of("--full").history), (100_000, 1_000_000, 10_000_000));
        assert_eq!((of("--quick").backlog, of("--full --history 5000").history), (20_000, 5_000));
        assert_eq!((of("--quick --rounds 2").rounds, of("").rounds), (2, 3));
    }
}
