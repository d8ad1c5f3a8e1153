//! Rules of webhooks that recover, and are replayed what they missed without an order.
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use jiff::SignedDuration;
use preclinical_core::{
    delivery::Claimed,
    id::{AgentId, DeliveryId, RedeliveryJobId, WebhookId},
    port::{JobNext, Page, Store},
    redelivery::{JobStatus, Missed, RedeliveryJob, Repeated},
    replay_on_recovery::{MAX_REPLAYS, ReplayOnRecovery},
    retry::NextStep,
    webhook::WebhookChanges,
};

use super::{
    health::{deliver, exhaust, now, switch},
    race,
};
use crate::world::{World, answered};

/// An agent, and the organization's webhook, whose owner wishes for that.
async fn world_of(store: &Arc<dyn Store>, wish: ReplayOnRecovery) -> (World, AgentId, WebhookId) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    wishes(&world, webhook, wish).await;
    (world, agent, webhook)
}

async fn wishes(world: &World, webhook: WebhookId, wish: ReplayOnRecovery) {
    let changes = WebhookChanges { replay_on_recovery: Some(wish), ..WebhookChanges::default() };
    let answer = world.store.update_webhook(world.organization, webhook, changes, world.now()).await.unwrap();
    assert_eq!((answer.replay_on_recovery, now(world, webhook).await.replay_on_recovery), (wish, wish));
}

fn ids(world: &World, count: usize) -> Vec<RedeliveryJobId> {
    (0..count).map(|_| RedeliveryJobId::generate(world.now(), &*world.chance)).collect()
}

/// What is replayed by itself now.
async fn replayed(world: &World) -> Vec<RedeliveryJob> {
    let jobs = world.store.replay_recovered(ids(world, 10), world.now()).await.unwrap();
    world.clock.turn(SignedDuration::from_secs(1));
    jobs
}

async fn the_one_job(world: &World) -> RedeliveryJob {
    let mut jobs = replayed(world).await;
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    jobs.remove(0)
}

/// Takes a job one step further; what it wrote is claimed.
async fn step(world: &World, job: RedeliveryJobId) -> (JobNext, Vec<Claimed>) {
    let ids = (0..20).map(|_| DeliveryId::generate(world.now(), &*world.chance)).collect();
    let step = world.store.advance_redelivery_job(job, ids, world.now()).await.unwrap();
    (step.next, world.store.claim_due(world.now(), world.leases(100)).await.unwrap())
}

/// Takes a job to its end, every delivery of it ending so, and answers what it repeated, in its order.
async fn drive(world: &World, job: RedeliveryJobId, status: u16, end: NextStep) -> Vec<DeliveryId> {
    let mut repeated = Vec::new();
    loop {
        let (next, claimed) = step(world, job).await;
        world.clock.turn(SignedDuration::from_secs(1));
        for claimed in claimed {
            repeated.extend(world.delivery(claimed.delivery_id).await.redelivery_of);
            world.store.record(world.record(&claimed, answered(status), end)).await.unwrap();
        }
        if next == JobNext::Ended {
            return repeated;
        }
    }
}

pub async fn what_a_webhook_missed_is_replayed_once_when_it_has_recovered(store: Arc<dyn Store>) {
    let (world, agent, webhook) = world_of(&store, ReplayOnRecovery::All).await;
    deliver(&world, agent).await;
    assert!(replayed(&world).await.is_empty(), "it missed nothing");
    let mut expected = Vec::new();
    for _ in 0..10 {
        expected.push(exhaust(&world, agent).await);
    }
    let since = now(&world, webhook).await.health.missed_since.unwrap();
    assert!(replayed(&world).await.is_empty(), "it still fails");
    deliver(&world, agent).await;
    let at = world.now();
    let job = the_one_job(&world).await;
    assert_eq!(
        (job.status, job.total, job.created_at, job.selection.webhook_id),
        (JobStatus::Running, 10, at, Some(webhook))
    );
    assert_eq!(job.selection.missed(), Some(Missed { since, newest_per_agent: false, on_recovery: true }));
    assert_eq!(store.redelivery_job(world.organization, job.id).await.unwrap(), Some(job.clone()));
    assert_eq!(now(&world, webhook).await.health.missed_since, None, "it is in the hands of the job");
    assert!(replayed(&world).await.is_empty());
    assert_eq!(drive(&world, job.id, 200, NextStep::Delivered).await, expected);
    assert!(replayed(&world).await.is_empty());
    let (_, jobs) = store.redelivery_jobs(world.organization, Page { limit: 10, offset: 0 }).await.unwrap();
    assert_eq!(jobs, 1);
}

pub async fn nothing_is_replayed_by_itself_that_its_owner_does_not_wish_for(store: Arc<dyn Store>) {
    let (world, agent, webhook) = world_of(&store, ReplayOnRecovery::Off).await;
    exhaust(&world, agent).await;
    let since = now(&world, webhook).await.health.missed_since;
    deliver(&world, agent).await;
    assert!(replayed(&world).await.is_empty());
    assert_eq!(now(&world, webhook).await.health.missed_since, since, "it waits for an order");
    wishes(&world, webhook, ReplayOnRecovery::NewestPerAgent).await;
    switch(&world, webhook, false).await;
    assert!(replayed(&world).await.is_empty(), "nothing is sent to a webhook that is disabled");
    switch(&world, webhook, true).await;
    wishes(&world, webhook, ReplayOnRecovery::All).await;
    assert_eq!(the_one_job(&world).await.total, 1, "a wish may come late");
}

pub async fn of_what_was_missed_the_newest_run_of_each_agent_is_replayed_alone_if_that_is_the_wish(store: Arc<dyn Store>) {
    let (world, first, _) = world_of(&store, ReplayOnRecovery::NewestPerAgent).await;
    let (second, third) = (world.agent("Second").await, world.agent("Third").await);
    exhaust(&world, first).await;
    let of_second = exhaust(&world, second).await;
    let of_first = exhaust(&world, first).await;
    exhaust(&world, third).await;
    deliver(&world, third).await;
    let job = the_one_job(&world).await;
    assert_eq!((job.total, job.selection.missed().unwrap().newest_per_agent), (2, true));
    assert_eq!(drive(&world, job.id, 200, NextStep::Delivered).await, [of_second, of_first]);
}

pub async fn of_racing_callers_one_replays_what_a_webhook_missed(store: Arc<dyn Store>) {
    let world = Arc::new(World::new(store.clone(), "default").await);
    for number in 0..4 {
        let agent = world.agent(&format!("Agent {number}")).await;
        let webhook = world.webhook("https://example.com", Some(agent)).await;
        wishes(&world, webhook, ReplayOnRecovery::All).await;
        exhaust(&world, agent).await;
        deliver(&world, agent).await;
    }
    let at = world.now();
    let calls = (0..8).map(|_| (store.clone(), ids(&world, 10)));
    let calls = calls.map(|(store, ids)| async move { store.replay_recovered(ids, at).await.unwrap() });
    let jobs: Vec<_> = race(calls).await.into_iter().flatten().collect();
    let mut webhooks: Vec<_> = jobs.iter().map(|job| job.selection.webhook_id).collect();
    webhooks.sort_unstable();
    webhooks.dedup();
    assert_eq!((jobs.len(), webhooks.len()), (4, 4));
    let (_, kept) = store.redelivery_jobs(world.organization, Page { limit: 10, offset: 0 }).await.unwrap();
    assert_eq!(kept, 4);
}

pub async fn as_many_are_replayed_at_once_as_there_are_ids(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    for number in 0..3 {
        let agent = world.agent(&format!("Agent {number}")).await;
        let webhook = world.webhook("https://example.com", Some(agent)).await;
        wishes(&world, webhook, ReplayOnRecovery::All).await;
        exhaust(&world, agent).await;
        deliver(&world, agent).await;
    }
    for expected in [2, 1, 0] {
        assert_eq!(store.replay_recovered(ids(&world, 2), world.now()).await.unwrap().len(), expected);
    }
}

pub async fn a_webhook_that_fails_again_is_replayed_nothing_before_it_recovers_again(store: Arc<dyn Store>) {
    let (world, agent, webhook) = world_of(&store, ReplayOnRecovery::All).await;
    for _ in 0..10 {
        exhaust(&world, agent).await;
    }
    deliver(&world, agent).await;
    let first = the_one_job(&world).await;
    let (next, under_way) = step(&world, first.id).await;
    assert_eq!((next, under_way.len()), (JobNext::Wait, 8));
    let missed_again = exhaust(&world, agent).await;
    let since = now(&world, webhook).await.health.missed_since;
    for _ in 0..3 {
        assert!(replayed(&world).await.is_empty(), "the streak goes on");
    }
    deliver(&world, agent).await;
    assert!(replayed(&world).await.is_empty(), "the replay before still runs");
    for claimed in under_way {
        store.record(world.record(&claimed, answered(200), NextStep::Delivered)).await.unwrap();
    }
    assert_eq!(drive(&world, first.id, 200, NextStep::Delivered).await.len(), 2);
    let second = the_one_job(&world).await;
    assert_eq!((second.total, Some(second.selection.missed().unwrap().since)), (1, since));
    assert_eq!(drive(&world, second.id, 200, NextStep::Delivered).await, [missed_again]);
    assert!(replayed(&world).await.is_empty());
}

pub async fn a_webhook_that_is_enabled_again_is_replayed_nothing_before_it_takes_something(store: Arc<dyn Store>) {
    let (world, agent, webhook) = world_of(&store, ReplayOnRecovery::Off).await;
    exhaust(&world, agent).await;
    deliver(&world, agent).await;
    wishes(&world, webhook, ReplayOnRecovery::All).await;
    let gone = world.claimed(agent).await;
    world.clock.turn(SignedDuration::from_secs(1));
    store.record(world.record(&gone, answered(410), NextStep::Gone)).await.unwrap();
    world.clock.turn(SignedDuration::from_secs(1));
    let run = world.run(agent, None).await;
    world.complete(run.id, None).await.unwrap();
    world.clock.turn(SignedDuration::from_secs(1));
    switch(&world, webhook, true).await;
    assert!(replayed(&world).await.is_empty(), "who is asked first is not known to be there");
    let test = world.enqueue_test(webhook).await.unwrap();
    store.record(world.record(&test, answered(200), NextStep::Delivered)).await.unwrap();
    assert!(replayed(&world).await.is_empty(), "a test leaves the webhook alone");
    deliver(&world, agent).await;
    assert_eq!(the_one_job(&world).await.total, 3);
}

pub async fn a_replay_that_somebody_stopped_does_not_begin_again_by_itself(store: Arc<dyn Store>) {
    let (world, agent, webhook) = world_of(&store, ReplayOnRecovery::All).await;
    exhaust(&world, agent).await;
    deliver(&world, agent).await;
    let job = the_one_job(&world).await;
    store.cancel_redelivery_job(world.organization, job.id, world.now()).await.unwrap();
    assert!(now(&world, webhook).await.health.missed_since.is_some(), "it can be ordered");
    world.clock.turn(SignedDuration::from_secs(1));
    assert!(replayed(&world).await.is_empty());
    deliver(&world, agent).await;
    assert!(replayed(&world).await.is_empty(), "nothing else was missed");
    exhaust(&world, agent).await;
    deliver(&world, agent).await;
    assert_eq!(the_one_job(&world).await.total, 2);
}

pub async fn a_replay_that_found_its_webhook_disabled_begins_again_after_a_success(store: Arc<dyn Store>) {
    let (world, agent, webhook) = world_of(&store, ReplayOnRecovery::All).await;
    exhaust(&world, agent).await;
    deliver(&world, agent).await;
    let job = the_one_job(&world).await;
    switch(&world, webhook, false).await;
    assert_eq!(step(&world, job.id).await.0, JobNext::Ended);
    world.clock.turn(SignedDuration::from_secs(1));
    switch(&world, webhook, true).await;
    assert!(replayed(&world).await.is_empty());
    let again = deliver(&world, agent).await;
    let job = the_one_job(&world).await;
    assert_eq!(job.total, 1);
    assert_ne!(drive(&world, job.id, 200, NextStep::Delivered).await, [again]);
}

pub async fn what_fails_in_every_replay_is_left_out_in_the_end(store: Arc<dyn Store>) {
    let (world, agent, webhook) = world_of(&store, ReplayOnRecovery::All).await;
    let mut refused = exhaust(&world, agent).await;
    for _ in 0..MAX_REPLAYS {
        deliver(&world, agent).await;
        let job = the_one_job(&world).await;
        assert_eq!(drive(&world, job.id, 422, NextStep::Exhausted).await, [refused]);
        let newest = world.deliveries().await.into_iter().find(|delivery| delivery.redelivery_of == Some(refused));
        refused = newest.unwrap().id;
        world.clock.turn(SignedDuration::from_secs(1));
    }
    deliver(&world, agent).await;
    assert!(replayed(&world).await.is_empty(), "a receiver that is well does not want it");
    let health = now(&world, webhook).await.health;
    assert!(health.missed_since.is_some(), "somebody may still order it");
    let other = exhaust(&world, agent).await;
    deliver(&world, agent).await;
    let job = the_one_job(&world).await;
    assert!(matches!(job.selection.ended, Repeated::Missed(_)));
    assert_eq!(drive(&world, job.id, 200, NextStep::Delivered).await, [other]);
}
