//! Rules of what is left by a process that died.
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use preclinical_core::{
    attempt::ErrorKind,
    delivery::DeliveryStatus,
    idempotency::Begun,
    port::{RecordError, Store},
    retry::NextStep,
};

use super::{
    Home,
    idempotency::{answer, call, carried_out},
};
use crate::world::{World, answered};

pub async fn leases_of_the_dead_are_due_again_at_once(store: Arc<dyn Store>, home: &impl Home) {
    let world = World::new(store, "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let cut_off = world.claimed(agent).await;
    let (heir, due) = home.take_over(world.now()).await;
    assert_eq!(due, 1);
    let again = heir.claim_due(world.now(), world.leases(10)).await.unwrap();
    assert_eq!((again.len(), again[0].delivery_id, again[0].attempt), (1, cut_off.delivery_id, 2));
    let late = world.store.record(world.record(&cut_off, answered(200), NextStep::Delivered)).await;
    assert!(matches!(late, Err(RecordError::LeaseLost)), "{late:?}");
}

pub async fn a_late_record_of_the_dead_is_taken_until_somebody_claims(store: Arc<dyn Store>, home: &impl Home) {
    let world = World::new(store, "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let paused = world.claimed(agent).await;
    let (heir, _) = home.take_over(world.now()).await;
    world.store.record(world.record(&paused, answered(200), NextStep::Delivered)).await.unwrap();
    assert_eq!(world.delivery(paused.delivery_id).await.status, DeliveryStatus::Delivered);
    assert!(heir.claim_due(world.now(), world.leases(1)).await.unwrap().is_empty());
}

pub async fn what_was_canceled_under_way_is_interrupted_if_its_process_died(store: Arc<dyn Store>, home: &impl Home) {
    let world = World::new(store, "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let cut_off = world.claimed(agent).await;
    world.store.cancel_delivery(world.organization, cut_off.delivery_id, world.now()).await.unwrap();
    let (heir, due) = home.take_over(world.now()).await;
    assert_eq!(due, 0, "nothing of it is due");
    let (delivery, attempts) = heir.delivery(world.organization, cut_off.delivery_id).await.unwrap().unwrap();
    assert_eq!(delivery.status, DeliveryStatus::Canceled);
    assert_eq!(attempts[0].error.as_ref().unwrap().kind, ErrorKind::Interrupted);
    let late = world.record(&cut_off, answered(500), NextStep::RetryAt(world.now()));
    let late = world.store.record(late).await;
    assert!(matches!(late, Err(RecordError::LeaseLost)), "{late:?}");
}

pub async fn calls_of_the_dead_can_be_begun_again_at_once(store: Arc<dyn Store>, home: &impl Home) {
    let world = World::new(store.clone(), "default").await;
    let (cut_off, done) = (call(&world, "cut off", "{}"), call(&world, "done", "{}"));
    store.begin_call(cut_off.clone()).await.unwrap();
    store.begin_call(done.clone()).await.unwrap();
    store.keep_answer(done.id, done.token, answer(200, "")).await.unwrap();
    let (heir, due) = home.take_over(world.now()).await;
    assert_eq!(due, 0, "no delivery is among them");
    assert_eq!(heir.begin_call(call(&world, "cut off", "{ }")).await.unwrap(), Begun::Reused);
    assert_eq!(heir.begin_call(call(&world, "cut off", "{}")).await.unwrap(), carried_out(&cut_off));
    assert_eq!(heir.begin_call(call(&world, "done", "{}")).await.unwrap(), Begun::Answered(answer(200, "")));
}
