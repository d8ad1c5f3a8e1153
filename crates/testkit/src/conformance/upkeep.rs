//! Rules of [`preclinical_core::port::Upkeep`].
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use jiff::SignedDuration;
use preclinical_core::{
    delivery::DeliveryStatus,
    port::{AttemptRecord, Page, RecordError, RunFilter, Store},
    retry::NextStep,
    run::RunRef,
};

use crate::world::{World, answered, message};

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

pub async fn deliveries_that_ended_long_ago_are_forgotten_with_all_that_was_sent(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let [old, canceled, late] = [world.claimed(agent).await, world.claimed(agent).await, world.claimed(agent).await];
    let test = world.enqueue_test(webhook).await.unwrap();
    let record =
        AttemptRecord { response: Some(message(&[], b"ok")), ..world.record(&old, answered(200), NextStep::Delivered) };
    store.record(record).await.unwrap();
    store.record(world.record(&test, answered(200), NextStep::Delivered)).await.unwrap();
    store.cancel_delivery(world.organization, canceled.delivery_id, world.now()).await.unwrap();
    let pending = world.claimed(agent).await;
    world.clock.turn(SignedDuration::from_hours(24 * 7));
    store.record(world.record(&late, answered(200), NextStep::Delivered)).await.unwrap();

    assert_eq!(store.forget_deliveries(world.now(), 2).await.unwrap(), 2);
    assert_eq!(store.forget_deliveries(world.now(), 2).await.unwrap(), 1);
    assert_eq!(store.forget_deliveries(world.now(), 2).await.unwrap(), 0);
    let mut left: Vec<_> = world.deliveries().await.iter().map(|delivery| delivery.id).collect();
    left.sort_unstable();
    let mut kept = [late.delivery_id, pending.delivery_id];
    kept.sort_unstable();
    assert_eq!(left, kept);
    assert!(store.delivery(world.organization, old.delivery_id).await.unwrap().is_none());
    let page = Page { limit: 10, offset: 0 };
    let (runs, _) = store.runs(world.organization, RunFilter::default(), page).await.unwrap();
    assert_eq!(runs.len(), 4, "runs stay");
    for run in runs {
        let (decisions, _) = store.decisions(world.organization, RunRef::Id(run.id), page).await.unwrap().unwrap();
        assert_eq!(decisions.len(), 1, "and what was decided");
    }
}

pub async fn a_store_that_reads_and_writes_is_well(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    store.ping(world.now()).await.unwrap();
    world.agent("Assistant").await;
    store.ping(world.now()).await.unwrap();
}
