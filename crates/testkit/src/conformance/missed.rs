//! Rules of what webhooks miss, and of replaying it.
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    delivery::{Claimed, DeliveryStatus},
    id::{DeliveryId, RedeliveryJobId, WebhookId},
    port::{Fate, JobNext, NewRedeliveryJob, Store},
    redelivery::{JobStatus, Missed, RedeliveryJob, RedeliverySelection, Repeated},
    retry::NextStep,
    run::FinalStatus,
    version::Expected,
};

use super::health::{bring_to_the_verge, deliver, exhaust, now, switch};
use crate::world::{World, answered};

pub async fn runs_that_end_while_we_have_their_webhook_disabled_are_missed(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let claimed = world.claimed(agent).await;
    store.record(world.record(&claimed, answered(410), NextStep::Gone)).await.unwrap();
    world.clock.turn(SignedDuration::from_secs(1));
    let run = world.run(agent, None).await;
    let dispatch = world.finish_value(run.id, FinalStatus::Completed, Some(world.lease()));
    let id = dispatch.dispatch.delivery_id;
    let fate = store.finish_run(dispatch).await.unwrap().fate;
    assert!(matches!(fate, Fate::NoWebhook), "{fate:?}");
    let held_back = world.delivery(id).await;
    assert_eq!((held_back.status, held_back.attempt_count), (DeliveryStatus::Canceled, 0));
    assert_eq!((held_back.webhook_id, held_back.run_id, held_back.completed_at), (webhook, Some(run.id), Some(world.now())));
    assert_eq!(store.next_due().await.unwrap(), None);
    assert_eq!(count(&world, missed(&world, webhook, false).await).await, 2);

    switch(&world, webhook, true).await;
    switch(&world, webhook, false).await;
    let before = world.deliveries().await.len();
    let run = world.run(agent, None).await;
    world.complete(run.id, None).await.unwrap();
    assert_eq!(world.deliveries().await.len(), before, "its owner does not want to hear of it");
}

/// Whatever the webhook missed.
async fn missed(world: &World, webhook: WebhookId, newest_per_agent: bool) -> RedeliverySelection {
    let since = now(world, webhook).await.health.missed_since.expect("it missed something");
    selection(webhook, since, newest_per_agent)
}

fn selection(webhook: WebhookId, since: Timestamp, newest_per_agent: bool) -> RedeliverySelection {
    RedeliverySelection {
        ended: Repeated::Missed(Missed { since, newest_per_agent, on_recovery: false }),
        webhook_id: Some(webhook),
        agent_id: None,
        run_id: None,
        created_after: None,
        created_before: None,
    }
}

async fn count(world: &World, selection: RedeliverySelection) -> u64 {
    world.store.count_redeliveries(world.organization, selection, world.now()).await.unwrap()
}

async fn create(world: &World, selection: RedeliverySelection) -> RedeliveryJob {
    let id = RedeliveryJobId::generate(world.now(), &*world.chance);
    let job = NewRedeliveryJob { id, organization_id: world.organization, selection, at: world.now() };
    let job = world.store.create_redelivery_job(job).await.unwrap();
    world.clock.turn(SignedDuration::from_secs(1));
    job
}

/// Takes a job one step further; what it wrote is claimed.
async fn step(world: &World, job: RedeliveryJobId) -> (JobNext, Vec<Claimed>) {
    let ids = (0..20).map(|_| DeliveryId::generate(world.now(), &*world.chance)).collect();
    let step = world.store.advance_redelivery_job(job, ids, world.now()).await.unwrap();
    (step.next, world.store.claim_due(world.now(), world.leases(100)).await.unwrap())
}

/// Takes a job to its end, every delivery of it a success, and answers what it repeated, in its order.
async fn drive(world: &World, job: RedeliveryJobId) -> Vec<DeliveryId> {
    let mut repeated = Vec::new();
    loop {
        let (next, claimed) = step(world, job).await;
        for claimed in claimed {
            repeated.extend(world.delivery(claimed.delivery_id).await.redelivery_of);
            world.store.record(world.record(&claimed, answered(200), NextStep::Delivered)).await.unwrap();
        }
        world.clock.turn(SignedDuration::from_secs(1));
        if next == JobNext::Ended {
            return repeated;
        }
    }
}

pub async fn what_a_webhook_missed_is_replayed_oldest_first(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let long_ago = exhaust(&world, agent).await;
    deliver(&world, agent).await;
    drive(&world, create(&world, missed(&world, webhook, false).await).await.id).await;
    let by_its_owner = world.claimed(agent).await.delivery_id;
    store.cancel_delivery(world.organization, by_its_owner, world.now()).await.unwrap();
    let test = world.enqueue_test(webhook).await.unwrap();
    store.record(world.record(&test, answered(500), NextStep::Exhausted)).await.unwrap();
    let taken_after_all = world.claimed(agent).await;
    let mut expected = bring_to_the_verge(&world, agent).await;
    let waits = world.claimed(agent).await;
    let retry = NextStep::RetryAt(world.now() + SignedDuration::from_hours(1));
    store.record(world.record(&waits, answered(503), retry)).await.unwrap();
    world.clock.turn(SignedDuration::from_secs(1));
    expected.extend([waits.delivery_id, exhaust(&world, agent).await]);
    assert!(!now(&world, webhook).await.is_enabled);
    store.record(world.record(&taken_after_all, answered(200), NextStep::Delivered)).await.unwrap();
    world.clock.turn(SignedDuration::from_secs(1));
    let run = world.run(agent, None).await;
    world.complete(run.id, None).await.unwrap();
    expected.push(world.deliveries().await[0].id);
    switch(&world, webhook, true).await;
    expected.push(exhaust(&world, agent).await);
    deliver(&world, agent).await;

    let missed = missed(&world, webhook, false).await;
    assert_eq!(count(&world, missed).await, expected.len() as u64);
    let job = create(&world, missed).await;
    assert_eq!((job.total, job.selection), (expected.len() as u64, missed));
    assert_eq!(store.redelivery_job(world.organization, job.id).await.unwrap(), Some(job.clone()));
    let repeated = drive(&world, job.id).await;
    assert_eq!(repeated, expected);
    assert!(!repeated.contains(&long_ago));
    assert_eq!(count(&world, missed).await, 0, "it was delivered since");
    assert_eq!(now(&world, webhook).await.health.missed_since, None);
}

pub async fn of_what_was_missed_the_newest_run_of_each_agent_can_be_replayed_alone(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let (first, second, third) = (world.agent("First").await, world.agent("Second").await, world.agent("Third").await);
    let webhook = world.webhook("https://example.com", None).await;
    let own = world.agent("Own").await;
    world.webhook("https://own.example", Some(own)).await;
    let (_, of_second) = (exhaust(&world, first).await, exhaust(&world, second).await);
    exhaust(&world, third).await;
    let of_first = exhaust(&world, first).await;
    // A webhook of its own heard of that one, which is nothing to this webhook.
    deliver(&world, own).await;
    let gone = world.claimed(own).await;
    store.record(world.record(&gone, answered(410), NextStep::Gone)).await.unwrap();
    let notice = store.claim_due(world.now(), world.leases(10)).await.unwrap().remove(0);
    store.record(world.record(&notice, answered(500), NextStep::Exhausted)).await.unwrap();
    world.clock.turn(SignedDuration::from_secs(1));
    deliver(&world, third).await;
    let newest = missed(&world, webhook, true).await;
    assert_eq!(count(&world, missed(&world, webhook, false).await).await, 5);
    assert_eq!(count(&world, newest).await, 3, "of the third agent a newer run was delivered");
    let job = create(&world, newest).await;
    assert_eq!(drive(&world, job.id).await, [of_second, of_first, notice.delivery_id]);
    let rest = selection(webhook, newest.missed().unwrap().since, true);
    assert_eq!(count(&world, rest).await, 0, "the newest of each is delivered");
}

pub async fn what_was_missed_is_in_the_hands_of_one_job(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let mut expected = Vec::new();
    for _ in 0..12 {
        expected.push(exhaust(&world, agent).await);
    }
    let missed_since = async || now(&world, webhook).await.health.missed_since;
    let (since, all) = (missed_since().await, missed(&world, webhook, false).await);
    assert_eq!(count(&world, all).await, 12);
    assert_eq!(missed_since().await, since, "counting leaves it");
    let part = selection(webhook, world.now(), false);
    create(&world, part).await;
    assert_eq!(missed_since().await, since, "so does a job that leaves something out");

    let under_way = world.claimed(agent).await;
    let at = world.now();
    world.clock.turn(SignedDuration::from_secs(1));
    store.record(world.record(&under_way, answered(500), NextStep::Exhausted)).await.unwrap();
    let id = RedeliveryJobId::generate(world.now(), &*world.chance);
    let late = NewRedeliveryJob { id, organization_id: world.organization, selection: all, at };
    let job = store.create_redelivery_job(late).await.unwrap();
    assert_eq!(missed_since().await, Some(at), "what ended behind the job's time is still missed");
    assert_eq!(store.create_redelivery_job(late).await.unwrap().id, job.id);
    let (_, first) = step(&world, job.id).await;
    assert_eq!(first.len(), 8);
    store.cancel_redelivery_job(world.organization, job.id, world.now()).await.unwrap();
    assert_eq!(missed_since().await, since, "a job that was stopped gives it back");
    for claimed in first {
        store.record(world.record(&claimed, answered(200), NextStep::Delivered)).await.unwrap();
    }
    world.clock.turn(SignedDuration::from_secs(1));

    let job = create(&world, all).await;
    assert_eq!((job.total, missed_since().await), (5, None));
    switch(&world, webhook, false).await;
    assert_eq!(step(&world, job.id).await.0, JobNext::Ended);
    let skipped = store.redelivery_job(world.organization, job.id).await.unwrap().unwrap();
    assert_eq!((skipped.status, skipped.skipped.webhook_disabled), (JobStatus::Completed, 5));
    assert_eq!(missed_since().await, since, "so does one that came too late");
    create(&world, all).await;
    assert_eq!(missed_since().await, since, "of a webhook that is disabled nothing is taken over");
    store.delete_webhook(world.organization, webhook, Expected::Any, world.now()).await.unwrap();
    create(&world, all).await;
}
