//! The record of an attempt, and what happens without it.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use preclinical_core::{attempt::ErrorKind, delivery::DeliveryStatus, port::StoreError};
use preclinical_testkit::{
    interception::intercepted,
    receiver::{Gate, Reaction, Receiver, answer_bytes},
};

use crate::rig::{PATIENCE, Rig};

/// Longer than any lease.
const LEASE_ENDS: SignedDuration = SignedDuration::from_mins(2);

#[tokio::test]
async fn a_late_record_is_refused_and_the_delivery_stays_with_its_new_owner() {
    let (first, second) = (Gate::closed(), Gate::closed());
    let receiver = Receiver::start([
        Reaction::BytesAfter(first.clone(), answer_bytes(200, "", b"late")),
        Reaction::BytesAfter(second.clone(), answer_bytes(503, "", b"")),
    ])
    .await;
    let rig = Rig::new().await;
    rig.point_to(&receiver.url()).await;
    let (id, late) = rig.send().await;
    receiver.next().await;
    rig.world.clock.turn(LEASE_ENDS);
    let new_owner = rig.new_engine();
    new_owner.tick().await.unwrap();
    receiver.next().await;

    first.open();
    assert_eq!(late.await, None, "the record was refused");
    assert_eq!(rig.status(id).await, DeliveryStatus::Pending);
    let attempts = rig.attempts(id).await;
    assert_eq!(attempts[0].error.as_ref().unwrap().kind, ErrorKind::Interrupted);
    assert_eq!((attempts[0].http_status, attempts[1].duration_ms), (None, None));

    second.open();
    assert!(new_owner.close(PATIENCE).await);
    assert_eq!(rig.attempts(id).await[1].http_status, Some(503));
    let wait = rig.next_attempt(id).await.duration_since(rig.world.now());
    assert!(wait <= SignedDuration::from_secs(66), "what was cut off is no failure: {wait}");
}

#[tokio::test]
async fn an_attempt_under_its_lease_is_made_by_nobody_else() {
    let gate = Gate::closed();
    let receiver = Receiver::start([Reaction::BytesAfter(gate.clone(), answer_bytes(200, "", b""))]).await;
    let rig = Rig::new().await;
    rig.point_to(&receiver.url()).await;
    let (id, sent) = rig.send().await;
    receiver.next().await;
    rig.world.clock.turn(SignedDuration::try_from(PATIENCE).unwrap());
    rig.tick().await;
    assert_eq!(receiver.waiting().await, 0, "the lease outlasts the deadline");
    gate.open();
    assert!(sent.await.unwrap().delivered);
    assert_eq!(rig.attempts(id).await.len(), 1);
}

#[tokio::test]
async fn a_record_that_the_store_refuses_is_tried_again() {
    let calls = AtomicUsize::new(0);
    let rig = Rig::new().await.behind(|store| {
        intercepted(store, move |method| {
            if method == "record" && calls.fetch_add(1, Ordering::SeqCst) == 0 {
                return Err(StoreError::Unavailable("the script says so".into()));
            }
            Ok(())
        })
    });
    let receiver = Receiver::start([]).await;
    rig.point_to(&receiver.url()).await;
    let (id, summary) = rig.deliver().await;
    assert!(summary.delivered);
    assert_eq!(rig.status(id).await, DeliveryStatus::Delivered);
    receiver.next().await;
    assert_eq!(receiver.waiting().await, 0, "the record is repeated, not the request");
}

#[tokio::test]
async fn a_record_is_given_up_when_its_lease_ends_and_the_delivery_is_due_again() {
    let (rig, calls) = (Rig::new().await, AtomicUsize::new(0));
    let clock = rig.world.clock.clone();
    let rig = rig.behind(|store| {
        intercepted(store, move |method| {
            if method == "record" && calls.fetch_add(1, Ordering::SeqCst) == 0 {
                clock.turn(LEASE_ENDS);
                return Err(StoreError::Unavailable("the script says so".into()));
            }
            Ok(())
        })
    });
    let receiver = Receiver::start([]).await;
    rig.point_to(&receiver.url()).await;
    let (id, sent) = rig.send().await;
    assert_eq!(sent.await, None);
    rig.tick().await;
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    let attempts = rig.attempts(id).await;
    assert_eq!(attempts[0].error.as_ref().unwrap().kind, ErrorKind::Interrupted);
    assert_eq!((attempts[1].http_status, rig.status(id).await), (Some(200), DeliveryStatus::Delivered));
}

#[tokio::test]
async fn an_attempt_runs_on_when_nobody_waits_for_it() {
    let gate = Gate::closed();
    let receiver = Receiver::start([Reaction::BytesAfter(gate.clone(), answer_bytes(200, "", b""))]).await;
    let rig = Rig::new().await;
    rig.point_to(&receiver.url()).await;
    let (id, sent) = rig.send().await;
    receiver.next().await;
    drop(sent);
    gate.open();
    assert!(rig.engine.close(PATIENCE).await);
    assert_eq!(rig.status(id).await, DeliveryStatus::Delivered);
}
