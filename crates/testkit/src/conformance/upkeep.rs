//! Rules of [`preclinical_core::port::Upkeep`].
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use preclinical_core::{
    delivery::DeliveryStatus,
    port::{RecordError, Store},
    retry::NextStep,
};

use crate::world::{World, answered};

pub async fn a_living_process_keeps_what_it_holds(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let claimed = world.claimed(agent).await;
    for _ in 0..10 {
        assert_eq!(store.beat(world.now()).await.unwrap(), 0);
    }
    assert!(store.claim_due(world.now(), world.leases(1)).await.unwrap().is_empty());
    store.record(world.record(&claimed, answered(200), NextStep::Delivered)).await.unwrap();
}

pub async fn what_a_process_leaves_is_due_at_once(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let (late, cut_off) = (world.claimed(agent).await, world.claimed(agent).await);
    assert_eq!(store.leave(world.now()).await.unwrap(), 2);
    store.record(world.record(&late, answered(200), NextStep::Delivered)).await.unwrap();
    assert_eq!(world.delivery(late.delivery_id).await.status, DeliveryStatus::Delivered);
    let again = store.claim_due(world.now(), world.leases(10)).await.unwrap();
    assert_eq!((again.len(), again[0].delivery_id, again[0].attempt), (1, cut_off.delivery_id, 2));
    let record = store.record(world.record(&cut_off, answered(200), NextStep::Delivered)).await;
    assert!(matches!(record, Err(RecordError::LeaseLost)), "{record:?}");
}

pub async fn a_store_that_reads_and_writes_is_well(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    store.ping(world.now()).await.unwrap();
    world.agent("Assistant").await;
    store.ping(world.now()).await.unwrap();
}
