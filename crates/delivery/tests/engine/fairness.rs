//! What hangs or fails leaves places for what is well.

use preclinical_core::delivery::DeliveryStatus;
use preclinical_delivery::Tick;
use preclinical_testkit::receiver::{Gate, Reaction, Receiver, answer_bytes};

use crate::rig::{PATIENCE, Rig};

#[tokio::test]
async fn an_endpoint_that_hangs_has_a_few_attempts_under_way_and_no_other_waits_for_them() {
    let gate = Gate::closed();
    let hangs = Reaction::BytesAfter(gate.clone(), answer_bytes(200, "", b""));
    let (mut rig, hanging) = (Rig::new().await, Receiver::start(vec![hangs; 40]).await);
    rig.point_to(&hanging.url()).await;
    for _ in 0..40 {
        rig.write_due().await;
    }
    let healthy = Receiver::start([]).await;
    rig.agent = rig.world.agent("Healthy").await;
    rig.world.webhook(&healthy.url(), Some(rig.agent)).await;
    let late = rig.write_due().await;

    let Tick::Waiting(started) = rig.engine.tick().await.unwrap() else { panic!("some of it has to wait") };
    assert_eq!(healthy.next().await.header("x-preclinical-delivery"), Some(late.to_string().as_str()));
    for _ in 1..started {
        hanging.next().await;
    }
    assert!((2..10).contains(&started), "{started} at once");
    let (id, summary) = rig.deliver().await;
    assert!(summary.delivered, "{id} goes its own way");

    let run = tokio::spawn(rig.engine.clone().run());
    gate.open();
    for _ in started..=40 {
        hanging.next().await;
    }
    rig.end(run).await;
    assert!(rig.world.deliveries().await.iter().all(|delivery| delivery.status == DeliveryStatus::Delivered));
}

#[tokio::test]
async fn a_completion_for_an_endpoint_that_has_enough_under_way_waits_and_is_sent_in_its_turn() {
    let gate = Gate::closed();
    let hangs = Reaction::BytesAfter(gate.clone(), answer_bytes(200, "", b""));
    let (rig, receiver) = (Rig::new().await, Receiver::start(vec![hangs; 20]).await);
    rig.point_to(&receiver.url()).await;
    let mut under_way = Vec::new();
    let waiting = loop {
        match rig.finish().await {
            (offer, _, preclinical_core::port::Fate::Claimed(claimed)) => under_way.push(offer.send(claimed)),
            (_, id, _) => break id,
        }
    };
    assert!(!under_way.is_empty());
    assert_eq!(rig.status(waiting).await, DeliveryStatus::Pending);
    let run = tokio::spawn(rig.engine.clone().run());
    gate.open();
    for sent in under_way {
        assert!(tokio::time::timeout(PATIENCE, sent).await.unwrap().unwrap().delivered);
    }
    loop {
        if receiver.next().await.header("x-preclinical-delivery") == Some(waiting.to_string().as_str()) {
            break;
        }
    }
    rig.end(run).await;
    assert_eq!(rig.status(waiting).await, DeliveryStatus::Delivered);
}

#[tokio::test]
async fn a_webhook_can_be_tried_out_while_its_deliveries_hang() {
    let gate = Gate::closed();
    let hangs = Reaction::BytesAfter(gate.clone(), answer_bytes(200, "", b""));
    let (rig, receiver) = (Rig::new().await, Receiver::start(vec![hangs; 20]).await);
    rig.point_to(&receiver.url()).await;
    for _ in 0..20 {
        rig.write_due().await;
    }
    assert!(matches!(rig.engine.tick().await, Ok(Tick::Waiting(_))));
    let handoff = rig.engine.handoff();
    let places: Vec<_> = std::iter::from_fn(|| handoff.reserve_for_test(rig.world.organization, rig.webhook)).collect();
    assert!((1..10).contains(&places.len()), "{} tests at once", places.len());
    drop(places);
    gate.open();
    assert!(rig.engine.close(PATIENCE).await);
}
