//! What the binary stands on is broken at random while it works, and books outside of it are compared: the short version of
//! `cargo torture`, from a seed that stays the same.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

use std::time::Duration;

use preclinical_testkit::postgres::{self, Durability};
use torture::{
    outcome::Outcome,
    proof::{self, Copied, Load, Outage},
    site::{Ground, Store},
};

const SEED: u64 = 20;

/// After it something that should happen has failed to.
const PATIENCE: Duration = Duration::from_mins(1);

fn ground(store: Store) -> Ground {
    let binary = env!("CARGO_BIN_EXE_preclinical-webhooks").into();
    Ground { binary, store, durability: Durability::None, seed: SEED }
}

fn load(completions: usize) -> Load {
    Load { completions, connections: 16 }
}

#[track_caller]
fn holds(outcome: anyhow::Result<Outcome>) {
    let outcome = outcome.unwrap();
    assert!(outcome.holds(), "{}: {:#?}\nsee {:?}", outcome.did, outcome.broken, outcome.files);
}

/// Stamps the proofs out that have to hold on every store.
macro_rules! on_every_store {
    ($store:ident, others: $others:expr) => {
        /// Nodes beside the one that is killed.
        const OTHERS: usize = $others;

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn killed_again_and_again_it_loses_nothing_and_repeats_only_what_was_cut_off() {
            proven(async |ground| proof::killed(ground, load(500), 12, OTHERS).await).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn left_alone_it_sends_everything_once() {
            proven(async |ground| proof::killed(ground, load(500), 0, OTHERS).await).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn asked_to_end_again_and_again_it_loses_and_repeats_nothing() {
            proven(async |ground| proof::terminated(ground, load(300), 6).await).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn asked_to_end_while_nobody_answers_it_ends_in_time_and_sends_everything_later() {
            proven(async |ground| proof::silent_receiver(ground, load(150)).await).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_run_that_many_end_at_once_is_ended_once() {
            proven(async |ground| proof::contested(ground, load(20)).await).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn killed_in_the_middle_of_many_attempts_another_one_makes_them() {
            proven(async |ground| proof::lost_node(ground, load(200), PATIENCE).await).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn restored_from_a_backup_it_has_lost_nothing_and_repeats_only_what_was_pending_in_it() {
            proven(async |ground| proof::restored(ground, load(300), Copied::AsDocumented).await).await;
        }

        async fn proven(proof: impl AsyncFnOnce(&Ground) -> anyhow::Result<Outcome>) {
            if Store::$store == Store::Sqlite || !postgres::is_left_out() {
                holds(proof(&ground(Store::$store)).await);
            }
        }
    };
}

mod on_the_embedded_store {
    use super::*;

    on_every_store!(Sqlite, others: 0);

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn on_a_full_disk_it_refuses_and_goes_on_when_there_is_room() {
        proven(async |ground| proof::full_disk(ground, load(1000)).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn on_a_disk_that_keeps_nothing_it_refuses_and_goes_on_when_it_does() {
        proven(async |ground| proof::disk_errors(ground, load(500)).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn while_another_process_locks_the_database_it_refuses_and_goes_on_afterwards() {
        proven(async |ground| proof::locked(ground, load(300), Duration::from_secs(6)).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn whoever_copies_the_file_without_its_log_is_found_out() {
        let outcome = proof::restored(&ground(Store::Sqlite), load(300), Copied::WithoutItsLog).await.unwrap();
        assert!(outcome.broken.iter().any(|line| line.starts_with("lost: ")), "{:#?}", outcome.broken);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn whoever_acknowledges_before_the_commit_is_found_out() {
        let outcome = proof::acknowledged_early(&ground(Store::Sqlite), load(300)).await.unwrap();
        assert!(outcome.broken.iter().any(|line| line.starts_with("lost: ")), "{:#?}", outcome.broken);
    }
}

mod on_postgresql {
    use super::*;

    on_every_store!(Postgres, others: 1);

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_restart_of_the_server_needs_nobody() {
        proven(async |ground| proof::outage(ground, load(300), Outage::Restarts(2)).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sessions_that_are_ended_need_nobody() {
        proven(async |ground| proof::outage(ground, load(500), Outage::Terminations(2)).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_node_that_stands_still_in_a_transaction_stops_nobody() {
        proven(async |ground| proof::frozen(ground, load(300)).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_node_that_stood_still_changes_nothing_afterwards() {
        proven(async |ground| proof::paused(ground, load(50), Duration::ZERO).await).await;
    }
}
