//! What the simulation found once, step by step, and the classic accidents.

use std::time::Duration;

use preclinical_core::run::FinalStatus;
use preclinical_testkit::postgres;

use crate::{
    grounds::{EMBEDDED, IN_MEMORY, Place, SHARED},
    plan::Plan,
    receiver::Temper,
    simulation::{Outcome, Simulation},
};

const MINUTE: Duration = Duration::from_mins(1);

/// Long enough for a beat.
const LOOK: Duration = Duration::from_secs(2);

/// Plays a scene on every store; the oracle has nothing to say. Answers how many requests the receiver saw.
fn play(plan: &Plan, scene: fn(&mut Simulation)) -> usize {
    let story = play_on(IN_MEMORY, plan, scene);
    assert_eq!(story, play_on(EMBEDDED, plan, scene));
    let requests = |story: &[String]| story.iter().filter(|line| line.contains(" posts ")).count();
    if !postgres::is_left_out() {
        assert_eq!(requests(&story), requests(&play_on(SHARED, plan, scene)));
    }
    requests(&story)
}

fn play_on(place: Place, plan: &Plan, scene: fn(&mut Simulation)) -> Vec<String> {
    let Outcome { violations, story } = Simulation::play(plan.clone(), &(place.open)(), scene);
    assert!(violations.is_empty(), "{violations:#?}\n{}", story.join("\n"));
    story
}

/// Every request hangs until trouble is over.
fn hanging() -> Plan {
    Plan { temper: Temper { hangs: 1000, ..Temper::default() }, ..Plan::quiet() }
}

#[test]
fn a_test_that_is_on_its_way_to_a_disabled_webhook_outlives_an_edit_of_it() {
    let requests = play(&hanging(), |simulation| {
        simulation.switch();
        simulation.try_out();
        simulation.edit_url();
        simulation.edit_secret();
    });
    assert_eq!(requests, 1);
}

#[test]
fn what_was_canceled_under_way_has_an_end_in_the_history_if_all_nodes_die() {
    let requests = play(&hanging(), |simulation| {
        simulation.complete(FinalStatus::Completed);
        simulation.cancel_delivery();
        simulation.restart_all();
        // Whoever shares a store needs a few looks to know that others are dead.
        simulation.pass(MINUTE, LOOK);
    });
    assert_eq!(requests, 1);
}

#[test]
fn a_delivery_of_a_node_that_died_is_sent_again_by_another() {
    let plan = Plan { nodes: 2, ..hanging() };
    let requests = play(&plan, |simulation| {
        simulation.complete(FinalStatus::Completed);
        simulation.kill_host();
        simulation.let_receiver_recover();
        simulation.pass(MINUTE, MINUTE);
    });
    assert_eq!(requests, 2);
}

#[test]
fn a_node_that_slept_through_its_lease_changes_nothing_when_it_wakes() {
    let plan = Plan { nodes: 2, ..hanging() };
    let requests = play(&plan, |simulation| {
        simulation.complete(FinalStatus::Completed);
        simulation.hold_back_host();
        simulation.let_receiver_recover();
        simulation.pass(MINUTE, MINUTE);
    });
    assert_eq!(requests, 2);
}
