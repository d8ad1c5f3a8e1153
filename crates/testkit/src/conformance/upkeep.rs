//! Rules of [`preclinical_core::port::Upkeep`].
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use preclinical_core::port::Store;

use crate::world::World;

pub async fn leases_of_the_dead_are_due_again_at_once(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let cut_off = world.claimed(agent).await;
    assert_eq!(store.void_dead_leases(world.now()).await.unwrap(), 1);
    let again = store.claim_due(world.now(), world.leases(10)).await.unwrap();
    assert_eq!((again.len(), again[0].delivery_id, again[0].attempt), (1, cut_off.delivery_id, 2));
}

pub async fn a_store_that_reads_and_writes_is_well(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    store.ping(world.now()).await.unwrap();
    world.agent("Assistant").await;
    store.ping(world.now()).await.unwrap();
}
