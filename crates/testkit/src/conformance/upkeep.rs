//! Rules of [`preclinical_core::port::Upkeep`].
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use preclinical_core::{
    attempt::ErrorKind,
    delivery::DeliveryStatus,
    port::{RecordError, Store},
    retry::NextStep,
};

use crate::world::{World, answered};

pub async fn leases_of_the_dead_are_due_again_at_once(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let cut_off = world.claimed(agent).await;
    assert_eq!(store.void_dead_leases(world.now()).await.unwrap(), 1);
    let again = store.claim_due(world.now(), world.leases(10)).await.unwrap();
    assert_eq!((again.len(), again[0].delivery_id, again[0].attempt), (1, cut_off.delivery_id, 2));
}

pub async fn what_was_canceled_under_way_is_interrupted_if_its_process_died(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let cut_off = world.claimed(agent).await;
    store.cancel_delivery(world.organization, cut_off.delivery_id, world.now()).await.unwrap();
    assert_eq!(store.void_dead_leases(world.now()).await.unwrap(), 0, "nothing of it is due");
    let (delivery, attempts) = store.delivery(world.organization, cut_off.delivery_id).await.unwrap().unwrap();
    assert_eq!(delivery.status, DeliveryStatus::Canceled);
    assert_eq!(attempts[0].error.as_ref().unwrap().kind, ErrorKind::Interrupted);
    let late = store.record(world.record(&cut_off, answered(500), NextStep::RetryAt(world.now()))).await;
    assert!(matches!(late, Err(RecordError::LeaseLost)), "{late:?}");
}

pub async fn a_store_that_reads_and_writes_is_well(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    store.ping(world.now()).await.unwrap();
    world.agent("Assistant").await;
    store.ping(world.now()).await.unwrap();
}
