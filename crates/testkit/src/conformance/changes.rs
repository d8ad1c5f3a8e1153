//! Rules of [`preclinical_core::port::Changes`].
#![allow(missing_docs, reason = "the names are the rules")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::SignedDuration;
use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    id::{DeliveryId, OrganizationId},
    port::{ChangeNumber, Fate, Store, Watch},
    retry::NextStep,
    run::{FinalStatus, RunRef, RunStatus},
    scenario::ScenarioStatus,
    version::Expected,
};

use crate::world::{World, answered, result};

/// After how long a ring that should come has failed to.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until it rings.
async fn rings(watch: &mut dyn Watch) {
    tokio::time::timeout(PATIENCE, watch.rung()).await.expect("it does not ring");
}

/// Whether it rang already.
async fn has_rung(watch: &mut dyn Watch) -> bool {
    tokio::select! {
        biased;
        () = watch.rung() => true,
        () = std::future::ready(()) => false,
    }
}

async fn changed(
    store: &Arc<dyn Store>,
    organization: OrganizationId,
    after: ChangeNumber,
) -> Vec<(ChangeNumber, Delivery)> {
    store.changed_deliveries(organization, after, 1000).await.unwrap()
}

pub async fn a_watch_rings_for_every_commit_that_changes_its_organization(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let run = world.run(agent, None).await.id;
    let mut watch = store.watch(world.organization).await.unwrap();
    world.report(run, vec![result("1", ScenarioStatus::Passed)]).await.unwrap();
    rings(&mut *watch).await;
    world.complete(run, None).await.unwrap();
    rings(&mut *watch).await;
    let claimed = store.claim_due(world.now(), world.leases(1)).await.unwrap().remove(0);
    rings(&mut *watch).await;
    store.record(world.record(&claimed, answered(503), NextStep::RetryAt(world.now()))).await.unwrap();
    rings(&mut *watch).await;
    world.enqueue_test(webhook).await.unwrap();
    rings(&mut *watch).await;
    assert!(!has_rung(&mut *watch).await, "several rings before it was waited for are one");
    store.delete_webhook(world.organization, webhook, Expected::Any, world.now()).await.unwrap();
    rings(&mut *watch).await;
    let canceled = world.run(agent, None).await.id;
    store.finish_run(world.finish_value(canceled, FinalStatus::Canceled, None)).await.unwrap();
    rings(&mut *watch).await;
}

pub async fn a_watch_does_not_ring_for_another_organization(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let mut watch = store.watch(ours.organization).await.unwrap();
    let mut their_watch = store.watch(theirs.organization).await.unwrap();
    let agent = theirs.agent("Assistant").await;
    theirs.webhook("https://example.com", None).await;
    let claimed = theirs.claimed(agent).await;
    store.record(theirs.record(&claimed, answered(200), NextStep::Delivered)).await.unwrap();
    rings(&mut *their_watch).await;
    assert!(!has_rung(&mut *watch).await);
    assert!(changed(&store, ours.organization, ChangeNumber(0)).await.is_empty());
    assert_eq!(store.latest_change(ours.organization).await.unwrap(), ChangeNumber(0));
    let run = theirs.delivery(claimed.delivery_id).await.run_id.unwrap();
    assert!(store.progress(ours.organization, RunRef::Id(run), 0, 10).await.unwrap().is_none());
}

pub async fn a_delivery_is_read_after_each_of_its_changes_and_once_after_all(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let run = world.run(agent, None).await.id;
    let mut last = store.latest_change(world.organization).await.unwrap();
    assert_eq!(last, ChangeNumber(0));
    let mut next = async || {
        let changes = changed(&store, world.organization, last).await;
        let [(number, delivery)] = changes.try_into().unwrap();
        assert!(number > last);
        assert_eq!(store.latest_change(world.organization).await.unwrap(), number);
        last = number;
        delivery
    };
    let Fate::Due = world.complete(run, None).await.unwrap().fate else { panic!("not due") };
    let due = next().await;
    assert_eq!((due.status, due.attempt_count), (DeliveryStatus::Pending, 0));
    let claimed = store.claim_due(world.now(), world.leases(1)).await.unwrap().remove(0);
    assert_eq!(next().await.attempt_count, 1);
    let retry = world.now().checked_add(SignedDuration::from_mins(1)).unwrap();
    store.record(world.record(&claimed, answered(503), NextStep::RetryAt(retry))).await.unwrap();
    let planned = next().await;
    assert_eq!((planned.http_status, planned.next_attempt_at), (Some(503), Some(retry)));
    store.delete_webhook(world.organization, webhook, Expected::Any, world.now()).await.unwrap();
    let canceled = next().await;
    assert_eq!(canceled.status, DeliveryStatus::Canceled);
    assert_eq!(changed(&store, world.organization, ChangeNumber(0)).await, [(last, canceled)]);
}

pub async fn changes_are_read_in_their_order_and_in_pieces(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let mut claims = Vec::new();
    for _ in 0..5 {
        claims.push(world.claimed(agent).await);
    }
    // The first one changes again, and comes last by that.
    store.record(world.record(&claims[0], answered(200), NextStep::Delivered)).await.unwrap();
    claims.rotate_left(1);
    let (mut read, mut after) = (Vec::new(), ChangeNumber(0));
    loop {
        let piece = store.changed_deliveries(world.organization, after, 2).await.unwrap();
        let full = piece.len() == 2;
        for (number, delivery) in piece {
            assert!(number > after);
            after = number;
            read.push(delivery.id);
        }
        if !full {
            break;
        }
    }
    assert_eq!(read, claims.iter().map(|claimed| claimed.delivery_id).collect::<Vec<_>>());
}

pub async fn a_follower_of_racing_changes_misses_none(store: Arc<dyn Store>) {
    const RACERS: usize = 8;
    const DELIVERIES: usize = 8;
    let world = Arc::new(World::new(store.clone(), "default").await);
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let mut watch = store.watch(world.organization).await.unwrap();
    let racers: Vec<_> = (0..RACERS)
        .map(|_| {
            let (world, store) = (world.clone(), store.clone());
            tokio::spawn(async move {
                for _ in 0..DELIVERIES {
                    let claimed = world.claimed(agent).await;
                    store.record(world.record(&claimed, answered(200), NextStep::Delivered)).await.unwrap();
                }
            })
        })
        .collect();
    let mut seen: BTreeMap<DeliveryId, Delivery> = BTreeMap::new();
    let mut after = ChangeNumber(0);
    let delivered = |seen: &BTreeMap<DeliveryId, Delivery>| {
        seen.values().filter(|delivery| delivery.status == DeliveryStatus::Delivered).count()
    };
    while delivered(&seen) < RACERS * DELIVERIES {
        rings(&mut *watch).await;
        for (number, delivery) in changed(&store, world.organization, after).await {
            after = number;
            seen.insert(delivery.id, delivery);
        }
    }
    for racer in racers {
        racer.await.unwrap();
    }
    let mut all = world.deliveries().await;
    all.sort_by_key(|delivery| delivery.id);
    assert_eq!(seen.into_values().collect::<Vec<_>>(), all);
}

pub async fn the_progress_of_a_run_is_read_from_any_place_on(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let run = world.run(agent, Some(4)).await.id;
    // Not in the order of their names.
    world.report(run, vec![result("b", ScenarioStatus::Passed), result("c", ScenarioStatus::Error)]).await.unwrap();
    world.report(run, vec![result("a", ScenarioStatus::Failed), result("b", ScenarioStatus::Passed)]).await.unwrap();
    let read = async |after, limit| {
        let progress = store.progress(world.organization, RunRef::Id(run), after, limit).await.unwrap().unwrap();
        let ids: Vec<_> = progress.verdicts.iter().map(|verdict| verdict.scenario_id.clone()).collect();
        (ids.join(""), progress.run)
    };
    for (after, limit, expected) in [(0, 10, "bca"), (0, 2, "bc"), (1, 1, "c"), (2, 10, "a"), (3, 10, ""), (9, 10, "")] {
        let (ids, run) = read(after, limit).await;
        assert_eq!((ids.as_str(), run.status, run.tally.judged()), (expected, RunStatus::Running, 3));
    }
    world.report(run, vec![result("d", ScenarioStatus::Passed)]).await.unwrap();
    let (ids, run) = read(3, 10).await;
    assert_eq!((ids.as_str(), run.status, run.tally.passed), ("d", RunStatus::Completed, 2));
}
