//! Seeds, and what they come to.

use std::{io::Write, ops::Range};

use crate::{
    grounds::{Ground, reference, sqlite},
    plan::Plan,
    simulation::{Outcome, Simulation},
};

/// How many seeds are looked at on the store in memory, unless somebody asks for more.
const IN_MEMORY: u64 = 3000;

/// How many on the embedded store.
const ON_SQLITE: u64 = 300;

/// Seeds that found something wrong once.
const FAILED_ONCE: [u64; 3] = [15, 82, 107];

/// How much of the story of a seed that failed is shown at once.
const LAST_LINES: usize = 60;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// The seeds that are to be looked at: the one that is asked for, or so many.
fn wanted(usual: u64) -> (Range<u64>, bool) {
    if let Some(seed) = variable("SIMULATION_SEED") {
        return (seed..seed + 1, true);
    }
    let first = variable("SIMULATION_FIRST").unwrap_or(0);
    (first..first + variable("SIMULATION_SEEDS").unwrap_or(usual), false)
}

fn simulate(seed: u64, ground: fn() -> Ground) -> Outcome {
    Simulation::run(Plan::of(seed), &ground(), |roles| roles)
}

/// Past the capture of the tests' output.
fn tell(story: &[String]) {
    let mut out = std::io::stderr().lock();
    for line in story {
        writeln!(out, "{line}").unwrap();
    }
}

fn judge(seed: u64, outcome: &Outcome) {
    let Outcome { violations, story } = outcome;
    if !violations.is_empty() {
        tell(&story[story.len().saturating_sub(LAST_LINES)..]);
        panic!(
            "seed {seed}: {violations:#?}\nto see all of it: SIMULATION_SEED={seed} cargo test -p preclinical-delivery \
             --test simulation every_seed"
        );
    }
}

fn judge_all(seeds: (Range<u64>, bool), ground: fn() -> Ground) {
    let (seeds, tells) = seeds;
    for seed in seeds {
        let outcome = simulate(seed, ground);
        if tells {
            tell(&outcome.story);
        }
        judge(seed, &outcome);
    }
}

#[test]
fn every_seed_keeps_every_promise_on_the_store_in_memory() {
    judge_all(wanted(IN_MEMORY), reference);
}

#[test]
fn every_seed_keeps_every_promise_on_the_embedded_store() {
    judge_all(wanted(ON_SQLITE), sqlite);
}

#[test]
fn seeds_that_failed_once_fail_no_more() {
    for seed in FAILED_ONCE {
        judge(seed, &simulate(seed, sqlite));
    }
}

#[test]
fn a_seed_repeats_itself_to_the_last_line() {
    for seed in 0..20 {
        let [first, second] = [(); 2].map(|()| simulate(seed, sqlite).story);
        assert_eq!(first, second);
    }
}
