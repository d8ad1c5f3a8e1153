//! What is due is claimed, as far as there are places.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

use jiff::SignedDuration;
use preclinical_core::{delivery::DeliveryStatus, port::StoreError};
use preclinical_delivery::Tick;
use preclinical_testkit::{
    interception::intercepted,
    receiver::{Gate, Reaction, Receiver, answer_bytes},
};
use tokio::sync::mpsc;

use crate::rig::{PATIENCE, Rig};

/// A rig that tells when its engine has found that nothing is due.
fn observed(rig: Rig) -> (Rig, mpsc::UnboundedReceiver<()>) {
    let (idle, found_idle) = mpsc::unbounded_channel();
    let rig = rig.behind(|store| {
        intercepted(store, move |method| {
            if method == "next_due" {
                let _ = idle.send(());
            }
            Ok(())
        })
    });
    (rig, found_idle)
}

#[tokio::test]
async fn a_tick_tells_when_to_look_again() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([Reaction::status(500)]).await);
    rig.point_to(&receiver.url()).await;
    assert_eq!(rig.tick().await, Tick::IdleUntil(None));
    let (id, _) = rig.deliver().await;
    assert_eq!(rig.tick().await, Tick::IdleUntil(Some(rig.next_attempt(id).await)));
}

#[tokio::test]
async fn no_more_is_claimed_than_there_are_places() {
    let gate = Gate::closed();
    let reaction = Reaction::BytesAfter(gate.clone(), answer_bytes(200, "", b"ok"));
    let reactions = std::iter::once(Reaction::status(200)).chain((0..3).map(|_| reaction.clone()));
    let (rig, receiver) = (Rig::new().await, Receiver::start(reactions).await);
    rig.point_to(&receiver.url()).await;
    rig.deliver().await;
    receiver.next().await;
    for _ in 0..10 {
        rig.write_due().await;
    }
    let mut taken = rig.take_all();
    assert_eq!(rig.engine.tick().await, Ok(Tick::MayBeMore));
    let untried = || async { rig.world.deliveries().await.iter().filter(|delivery| delivery.attempt_count == 0).count() };
    assert_eq!(untried().await, 10);

    taken.truncate(taken.len() - 3);
    assert_eq!(rig.engine.tick().await, Ok(Tick::MayBeMore));
    assert_eq!(rig.engine.tick().await, Ok(Tick::MayBeMore));
    assert_eq!(untried().await, 7);

    let run = tokio::spawn(rig.engine.clone().run());
    gate.open();
    let mut arrived = BTreeSet::new();
    for _ in 0..10 {
        arrived.insert(receiver.next().await.header("webhook-id").map(str::to_owned));
    }
    assert_eq!(arrived.len(), 10);
    drop(taken);
    rig.end(run).await;
    assert!(rig.world.deliveries().await.iter().all(|delivery| delivery.status == DeliveryStatus::Delivered));
}

#[tokio::test]
async fn a_place_that_is_given_back_unused_is_free_again() {
    let rig = Rig::new().await;
    let mut taken = rig.take_all();
    assert!(!taken.is_empty() && rig.take_all().is_empty());
    taken.pop();
    assert_eq!(rig.take_all().len(), 1);
}

#[tokio::test]
async fn a_full_batch_is_followed_by_the_next_one() {
    let (mut rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    rig.point_to(&receiver.url()).await;
    let (first, second) = (rig.agent, rig.world.agent("Second").await);
    rig.world.webhook(&receiver.url(), Some(second)).await;
    for agent in [first, second] {
        rig.agent = agent;
        assert!(rig.deliver().await.1.delivered, "what is proven has places for a batch");
    }
    let mut rig = rig.restarted();
    for number in 0..48 {
        rig.agent = if number < 32 { first } else { second };
        rig.write_due().await;
        rig.world.clock.turn(SignedDuration::from_millis(1));
    }
    assert_eq!(rig.engine.tick().await, Ok(Tick::MayBeMore));
    assert!(matches!(rig.engine.tick().await, Ok(Tick::IdleUntil(_))));
    assert!(rig.engine.close(PATIENCE).await);
    assert_eq!(receiver.waiting().await, 50);
    assert!(rig.world.deliveries().await.iter().all(|delivery| delivery.status == DeliveryStatus::Delivered));
}

#[tokio::test]
async fn a_delivery_without_a_place_goes_out_when_the_engine_is_woken() {
    let (rig, mut found_idle) = observed(Rig::new().await);
    let receiver = Receiver::start([]).await;
    rig.point_to(&receiver.url()).await;
    let run = tokio::spawn(rig.engine.clone().run());
    found_idle.recv().await.unwrap();
    let id = rig.write_due().await;
    rig.engine.handoff().wake();
    assert_eq!(receiver.next().await.header("x-preclinical-delivery"), Some(id.to_string().as_str()));
    rig.end(run).await;
    assert_eq!(rig.status(id).await, DeliveryStatus::Delivered);
}

#[tokio::test]
async fn a_failed_attempt_sets_the_alarm_for_its_retry() {
    let (rig, mut found_idle) = observed(Rig::new().await.with_schedule("1ms"));
    let receiver = Receiver::start([Reaction::status(500)]).await;
    rig.point_to(&receiver.url()).await;
    let run = tokio::spawn(rig.engine.clone().run());
    found_idle.recv().await.unwrap();
    let (id, _) = rig.deliver().await;
    rig.world.clock.turn(SignedDuration::from_secs(1));
    for _ in 0..2 {
        receiver.next().await;
    }
    rig.end(run).await;
    assert_eq!(rig.status(id).await, DeliveryStatus::Delivered);
}

#[tokio::test]
async fn a_store_that_fails_does_not_end_the_loop() {
    let fails = AtomicBool::new(true);
    let (tell, mut told) = mpsc::unbounded_channel();
    let rig = Rig::new().await.behind(|store| {
        intercepted(store, move |method| {
            if method == "claim_due" && fails.swap(false, Ordering::SeqCst) {
                let _ = tell.send(());
                return Err(StoreError::Unavailable("the script says so".into()));
            }
            Ok(())
        })
    });
    let receiver = Receiver::start([]).await;
    rig.point_to(&receiver.url()).await;
    rig.write_due().await;
    let run = tokio::spawn(rig.engine.clone().run());
    told.recv().await.unwrap();
    rig.engine.handoff().wake();
    receiver.next().await;
    rig.end(run).await;
}
