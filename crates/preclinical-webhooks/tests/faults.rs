//! What the binary stands on is broken at random while it works, and books outside of it are compared: the short version of
//! `cargo torture`, from a seed that stays the same.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

use std::time::Duration;

use torture::{
    outcome::Outcome,
    proof::{self, Load},
    site::{Ground, Store},
};

const SEED: u64 = 20;

fn ground(store: Store) -> Ground {
    Ground { binary: env!("CARGO_BIN_EXE_preclinical-webhooks").into(), store, seed: SEED }
}

fn load(completions: usize) -> Load {
    Load { completions, connections: 16 }
}

#[track_caller]
fn holds(outcome: anyhow::Result<Outcome>) {
    let outcome = outcome.unwrap();
    assert!(outcome.holds(), "{}: {:#?}\nsee {:?}", outcome.did, outcome.broken, outcome.files);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_twenty_times_it_loses_nothing_and_repeats_only_what_was_cut_off() {
    holds(proof::killed(&ground(Store::Sqlite), load(1000), 20).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn left_alone_it_sends_everything_once() {
    holds(proof::killed(&ground(Store::Sqlite), load(1000), 0).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_end_ten_times_it_loses_and_repeats_nothing() {
    holds(proof::terminated(&ground(Store::Sqlite), load(500), 10).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_end_while_nobody_answers_it_ends_in_time_and_sends_everything_later() {
    holds(proof::silent_receiver(&ground(Store::Sqlite), load(150)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_many_end_at_once_is_ended_once() {
    holds(proof::contested(&ground(Store::Sqlite), load(20)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_many_attempts_the_next_one_makes_them() {
    holds(proof::lost_node(&ground(Store::Sqlite), load(300), Duration::from_mins(1)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_disk_that_keeps_nothing_it_refuses_and_goes_on_when_it_does() {
    holds(proof::disk_errors(&ground(Store::Sqlite), load(500)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_it_refuses_and_goes_on_when_there_is_room() {
    holds(proof::full_disk(&ground(Store::Sqlite), load(1000)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_another_process_locks_the_database_it_refuses_and_goes_on_afterwards() {
    holds(proof::locked(&ground(Store::Sqlite), load(300), Duration::from_secs(6)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_acknowledges_before_the_commit_is_found_out() {
    let outcome = proof::acknowledged_early(&ground(Store::Sqlite), load(300)).await.unwrap();
    assert!(outcome.broken.iter().any(|line| line.starts_with("lost: ")), "{:#?}", outcome.broken);
}
