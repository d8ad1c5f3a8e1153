//! The power goes while the embedded store works: the short version of `cargo torture power-cut`, from a seed that stays the same.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "this is test code")]

use torture::{
    outcome::Outcome,
    proof::{Flushing, PowerCuts, power_cut},
};

const SEED: u64 = 20;

/// Parts of the tests that were left out knowingly, with commas between.
const WITHOUT: &str = "PRECLINICAL_TEST_WITHOUT";

/// Nothing where that part is left out knowingly.
async fn cut(flushing: Flushing, size: PowerCuts) -> Option<Outcome> {
    if std::env::var(WITHOUT).is_ok_and(|parts| parts.split(',').any(|part| part == "power")) {
        eprintln!("left out: power cuts need a file system of their own (FUSE), and {WITHOUT} names that part");
        return None;
    }
    let outcome = power_cut(SEED, env!("CARGO_BIN_EXE_torture").as_ref(), flushing, size).await.unwrap();
    let done = outcome.findings.is_some();
    assert!(done, "{}: leave the part out knowingly with {WITHOUT}=power", outcome.did);
    Some(outcome)
}

/// How many disks had what begins so wrong with them.
fn count(outcome: &Outcome, wrong: &str) -> usize {
    outcome.broken.iter().filter(|line| line.starts_with(wrong)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_the_power_is_cut_what_was_acknowledged_is_there_and_nothing_is_half_done() {
    let size = PowerCuts { callers: 8, rounds: 28, starts: 2, torn: 1 };
    let Some(outcome) = cut(Flushing::EachCommit, size).await else { return };
    println!("{}; {}", outcome.did, outcome.counted);
    assert!(outcome.holds(), "{}: {:#?}\nsee {:?}", outcome.did, outcome.broken, outcome.files);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_flushes_only_when_the_log_is_written_back_is_found_out_by_what_is_lost() {
    let size = PowerCuts { callers: 8, rounds: 8, starts: 1, torn: 2 };
    let Some(outcome) = cut(Flushing::Checkpoints, size).await else { return };
    println!("{}; {}", outcome.did, outcome.counted);
    let lost = count(&outcome, "lost");
    assert!(lost > 0 && lost == outcome.broken.len(), "{:#?}", outcome.broken);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_never_flushes_is_found_out_by_damage() {
    let size = PowerCuts { callers: 8, rounds: 56, starts: 1, torn: 20 };
    let Some(outcome) = cut(Flushing::Never, size).await else { return };
    println!("{}; {}", outcome.did, outcome.counted);
    assert!(count(&outcome, "damaged") + count(&outcome, "unreadable") > 0, "{:#?}", outcome.broken);
}
