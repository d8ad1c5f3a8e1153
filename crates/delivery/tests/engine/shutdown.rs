//! The end of the engine.

use std::{future::Future, pin::pin, time::Duration};

use preclinical_core::delivery::DeliveryStatus;
use preclinical_delivery::Tick;
use preclinical_testkit::receiver::{Gate, Reaction, Receiver, answer_bytes};

use crate::rig::{PATIENCE, Rig};

/// Whether the future is ready after it was asked once.
async fn is_ready<T>(future: &mut (impl Future<Output = T> + Unpin)) -> bool {
    tokio::select! {
        biased;
        _ = future => true,
        () = std::future::ready(()) => false,
    }
}

#[tokio::test]
async fn closing_waits_for_the_attempts_under_way() {
    let gate = Gate::closed();
    let receiver = Receiver::start([Reaction::BytesAfter(gate.clone(), answer_bytes(200, "", b""))]).await;
    let rig = Rig::new().await;
    rig.point_to(&receiver.url()).await;
    let (id, _sent) = rig.send().await;
    receiver.next().await;
    let mut closing = pin!(rig.engine.close(PATIENCE));
    assert!(!is_ready(&mut closing).await);
    gate.open();
    assert!(closing.await);
    assert_eq!(rig.status(id).await, DeliveryStatus::Delivered);
}

#[tokio::test]
async fn closing_says_so_when_attempts_outlast_its_limit() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([Reaction::Hang]).await);
    rig.point_to(&receiver.url()).await;
    let (id, _sent) = rig.send().await;
    receiver.next().await;
    assert!(!rig.engine.close(Duration::from_millis(1)).await);
    assert_eq!(rig.status(id).await, DeliveryStatus::Pending);
}

#[tokio::test]
async fn a_closing_engine_takes_nothing_new() {
    let gate = Gate::closed();
    let receiver = Receiver::start([Reaction::BytesAfter(gate.clone(), answer_bytes(200, "", b""))]).await;
    let rig = Rig::new().await;
    rig.point_to(&receiver.url()).await;
    let (_, _sent) = rig.send().await;
    receiver.next().await;
    let waiting = rig.write_due().await;
    let mut closing = pin!(rig.engine.close(PATIENCE));
    assert!(!is_ready(&mut closing).await);

    assert!(rig.take_all().is_empty());
    assert_eq!(rig.engine.tick().await, Ok(Tick::MayBeMore));
    gate.open();
    assert!(closing.await);
    assert!(rig.take_all().is_empty(), "nor does a closed one");
    assert_eq!(rig.engine.tick().await, Ok(Tick::MayBeMore));
    assert_eq!((receiver.waiting().await, rig.attempts(waiting).await.len()), (0, 0));
    rig.tick().await;
    assert_eq!(rig.status(waiting).await, DeliveryStatus::Delivered, "it is left to the next start");
}

#[tokio::test]
async fn a_place_taken_before_the_end_may_still_be_used() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    rig.point_to(&receiver.url()).await;
    let (place, claimed) = rig.reserve_and_write().await;
    let mut closing = pin!(rig.engine.close(PATIENCE));
    assert!(!is_ready(&mut closing).await);
    assert!(place.send(claimed).await.unwrap().delivered);
    assert!(closing.await);
}

#[tokio::test]
async fn the_loop_ends_when_the_engine_closes() {
    let rig = Rig::new().await;
    let run = tokio::spawn(rig.engine.clone().run());
    rig.end(run).await;

    let full = rig.restarted();
    let taken = full.take_all();
    let mut run = tokio::spawn(full.engine.clone().run());
    assert!(!is_ready(&mut run).await);
    let mut closing = pin!(full.engine.close(PATIENCE));
    assert!(!is_ready(&mut closing).await);
    drop(taken);
    assert!(closing.await);
    full.end(run).await;
}
