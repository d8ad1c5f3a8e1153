//! A simulation of the delivery path: the engine on a store, several nodes of it, a receiver that does what chance says, time that
//! passes only when it is told to, and an oracle that knows what must be.
//!
//! A seed decides everything, so a seed that fails, fails again:
//!
//! ```text
//! SIMULATION_SEED=1234 cargo test -p preclinical-delivery --test simulation seed
//! SIMULATION_SEEDS=100000 cargo test -p preclinical-delivery --test simulation seeds
//! ```
//!
//! Left out on purpose: the network and the disk. Connections, TLS and names have tests against real receivers, and crashes of the
//! whole process are tested with the built binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod dice;
mod node;
mod oracle;
mod plan;
mod receiver;
mod simulation;
mod weather;
mod witness;

use std::{sync::Arc, time::Instant};

use preclinical_store_sqlite::SqliteStore;
use preclinical_testkit::world::vault;

use crate::{
    plan::Plan,
    simulation::{Ground, Outcome, Simulation},
};

fn on_sqlite(plan: Plan) -> Outcome {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let store = SqliteStore::open(&folder.path().join("test.db"), vault()).unwrap();
    let ground = Ground { store: Arc::new(store), home: None };
    Simulation::run(plan, &ground, |roles| roles)
}

#[test]
fn seeds() {
    let count = std::env::var("SIMULATION_SEEDS").ok().map_or(100, |text| text.parse().unwrap());
    let began = Instant::now();
    let mut failed = 0;
    for seed in 0..count {
        let outcome = on_sqlite(Plan::of(seed));
        if !outcome.violations.is_empty() {
            failed += 1;
            println!("seed {seed}: {:?}", outcome.violations);
        }
    }
    println!("{:?}, {failed} failed", began.elapsed());
    assert_eq!(failed, 0);
}

#[test]
fn seed() {
    let Some(seed) = std::env::var("SIMULATION_SEED").ok() else { return };
    let outcome = on_sqlite(Plan::of(seed.parse().unwrap()));
    println!("{}", outcome.story.join("\n"));
    assert_eq!(outcome.violations, Vec::<String>::new());
}

#[test]
fn opening() {
    let began = Instant::now();
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    for n in 0..50 {
        let store = SqliteStore::open(&folder.path().join(format!("test{n}.db")), vault()).unwrap();
        drop(store);
    }
    println!("{:?}", began.elapsed() / 50);
}
