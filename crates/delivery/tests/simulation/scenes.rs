//! What the simulation found once, step by step, and the classic accidents.

use std::time::Duration;

use preclinical_core::run::FinalStatus;

use crate::{
    grounds::{EMBEDDED, IN_MEMORY},
    plan::Plan,
    receiver::Temper,
    simulation::{Outcome, Simulation},
};

const MINUTE: Duration = Duration::from_mins(1);

/// Plays a scene on both stores; the oracle has nothing to say. Answers how many requests the receiver saw.
fn play(plan: &Plan, scene: fn(&mut Simulation)) -> usize {
    let [first, second] = [IN_MEMORY, EMBEDDED].map(|place| {
        let Outcome { violations, story } = Simulation::play(plan.clone(), &(place.open)(), scene);
        assert!(violations.is_empty(), "{violations:#?}\n{}", story.join("\n"));
        story
    });
    assert_eq!(first, second);
    first.iter().filter(|line| line.contains(" posts ")).count()
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
