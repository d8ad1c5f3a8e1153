//! Rules of how webhooks do: streaks, giving up, telling of it, and replaying what was missed.
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    delivery::{Claimed, DeliveryStatus},
    event::EventKind,
    health::{DEFAULT_PATIENCE, Health, HealthStatus},
    id::{AgentId, DeliveryId, RedeliveryJobId, WebhookId},
    port::{AttemptRecord, Disabling, JobNext, NewRedeliveryJob, RecordError, Store},
    redelivery::{JobStatus, Missed, RedeliveryJob, RedeliverySelection, Repeated},
    retry::NextStep,
    version::Expected,
    webhook::{DisabledReason, Webhook, WebhookChanges},
};

use super::race;
use crate::world::{PUBLIC_URL, World, answered, unreachable};

async fn now(world: &World, webhook: WebhookId) -> Webhook {
    world.store.webhook(world.organization, webhook).await.unwrap().unwrap()
}

async fn switch(world: &World, webhook: WebhookId, on: bool) -> Webhook {
    let changes = WebhookChanges { is_enabled: Some(on), ..WebhookChanges::default() };
    world.store.update_webhook(world.organization, webhook, changes, world.now()).await.unwrap()
}

/// A delivery that fails for good, a second after the last.
async fn exhaust(world: &World, agent: AgentId) -> DeliveryId {
    let claimed = world.claimed(agent).await;
    world.clock.turn(SignedDuration::from_secs(1));
    world.store.record(world.record(&claimed, answered(500), NextStep::Exhausted)).await.unwrap();
    claimed.delivery_id
}

/// As many as it takes, but for the last, which is to come when the time is over.
async fn bring_to_the_verge(world: &World, agent: AgentId) -> Vec<DeliveryId> {
    let mut failed = Vec::new();
    for _ in 1..DEFAULT_PATIENCE.exhausted {
        failed.push(exhaust(world, agent).await);
    }
    world.clock.turn(DEFAULT_PATIENCE.time);
    failed
}

async fn deliver(world: &World, agent: AgentId) -> DeliveryId {
    let claimed = world.claimed(agent).await;
    world.clock.turn(SignedDuration::from_secs(1));
    world.store.record(world.record(&claimed, answered(200), NextStep::Delivered)).await.unwrap();
    claimed.delivery_id
}

pub async fn a_streak_lasts_from_its_first_failure_to_the_next_success(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let attempt = async |outcome, next| {
        let claimed = world.claimed(agent).await;
        world.clock.turn(SignedDuration::from_secs(1));
        store.record(world.record(&claimed, outcome, next)).await.unwrap();
        now(&world, webhook).await.health
    };
    let retry = NextStep::RetryAt(world.now() + SignedDuration::from_hours(1));
    let mut expected = Health::default();
    let start = world.now() + SignedDuration::from_secs(1);
    for (failures, exhausted, outcome, next) in [
        (1, 0, answered(503), retry),
        (2, 1, unreachable(), NextStep::Exhausted),
        (3, 1, answered(404), retry),
        (4, 2, answered(500), NextStep::Exhausted),
    ] {
        let health = attempt(outcome, next).await;
        expected.last_triggered_at = Some(world.now());
        (expected.consecutive_failures, expected.exhausted_deliveries) = (failures, exhausted);
        (expected.failing_since, expected.missed_since) = (Some(start), (exhausted > 0).then_some(start));
        assert_eq!(health, expected);
    }
    let recovered = attempt(answered(204), NextStep::Delivered).await;
    let last = Some(world.now());
    let missed_since = Some(start);
    let expected = Health { last_triggered_at: last, last_success_at: last, missed_since, ..Health::default() };
    assert_eq!(recovered, expected, "what was missed is still missed");
    assert_eq!(HealthStatus::of(&now(&world, webhook).await), HealthStatus::Healthy);
    let again = attempt(answered(500), NextStep::Exhausted).await;
    assert_eq!((again.failing_since, again.last_success_at), (Some(world.now()), last));
    assert_eq!(HealthStatus::of(&now(&world, webhook).await), HealthStatus::Failing);
}

pub async fn a_webhook_that_does_nothing_but_fail_for_too_long_is_disabled(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let (waits, under_way) = (world.claimed(agent).await, world.claimed(agent).await);
    let later = world.now() + SignedDuration::from_hours(24 * 30);
    store.record(world.record(&waits, answered(503), NextStep::RetryAt(later))).await.unwrap();
    let since = now(&world, webhook).await.health.failing_since;
    bring_to_the_verge(&world, agent).await;
    assert!(now(&world, webhook).await.is_enabled, "one delivery is missing, and nothing has failed since");
    let before = now(&world, webhook).await.version;
    let last = exhaust(&world, agent).await;
    let disabled = now(&world, webhook).await;
    assert_eq!((disabled.is_enabled, disabled.disabled_reason), (false, Some(DisabledReason::Failing)));
    assert_eq!((disabled.updated_at, disabled.version), (world.now(), before.next()));
    let health = disabled.health;
    assert_eq!((health.exhausted_deliveries, health.failing_since), (DEFAULT_PATIENCE.exhausted, since));
    assert_eq!(world.delivery(last).await.status, DeliveryStatus::Failed);
    for pending in [&waits, &under_way] {
        let delivery = world.delivery(pending.delivery_id).await;
        assert_eq!((delivery.status, delivery.completed_at), (DeliveryStatus::Canceled, Some(world.now())));
    }
    assert_eq!(store.next_due().await.unwrap(), None);
}

pub async fn a_webhook_is_given_up_when_both_its_time_and_its_deliveries_are_over(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", Some(agent)).await;
    let is_enabled = async || now(&world, webhook).await.is_enabled;
    let (early, retried) = (world.claimed(agent).await, world.claimed(agent).await);
    let start = world.now();
    for _ in 0..DEFAULT_PATIENCE.exhausted {
        let claimed = world.claimed(agent).await;
        store.record(world.record(&claimed, answered(500), NextStep::Exhausted)).await.unwrap();
    }
    world.clock.set(start + DEFAULT_PATIENCE.time - SignedDuration::from_micros(1));
    let retry = NextStep::RetryAt(world.now());
    store.record(world.record(&early, answered(503), retry)).await.unwrap();
    assert!(is_enabled().await, "a microsecond is missing");
    world.clock.set(start + DEFAULT_PATIENCE.time);
    let patient = Disabling { patience: None, ..world.disabling() };
    let unread = world.claimed(agent).await;
    let record = AttemptRecord { disabling: patient, ..world.record(&unread, answered(503), retry) };
    store.record(record).await.unwrap();
    assert!(is_enabled().await, "it is switched off");
    store.record(world.record(&retried, answered(503), retry)).await.unwrap();
    assert!(!is_enabled().await, "any failure ends it then");
}

pub async fn a_success_or_a_test_brings_no_webhook_nearer_to_its_end(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    bring_to_the_verge(&world, agent).await;
    let before = now(&world, webhook).await;
    for status in [500, 410, 200] {
        let test = world.enqueue_test(webhook).await.unwrap();
        let next = if status == 200 { NextStep::Delivered } else { NextStep::Exhausted };
        store.record(world.record(&test, answered(status), next)).await.unwrap();
    }
    assert_eq!(now(&world, webhook).await, before, "tests leave it alone");
    deliver(&world, agent).await;
    exhaust(&world, agent).await;
    let recovered = now(&world, webhook).await;
    assert_eq!((recovered.is_enabled, recovered.health.exhausted_deliveries), (true, 1));
}

pub async fn a_webhook_that_is_enabled_again_begins_a_new_streak(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let missed_since = Some(world.now() + SignedDuration::from_secs(1));
    bring_to_the_verge(&world, agent).await;
    exhaust(&world, agent).await;
    let unchanged = WebhookChanges { description: Some(None), ..WebhookChanges::default() };
    let same = store.update_webhook(world.organization, webhook, unchanged, world.now()).await.unwrap();
    assert_eq!(same.health.consecutive_failures, DEFAULT_PATIENCE.exhausted, "another change leaves it alone");
    let enabled = switch(&world, webhook, true).await;
    let last_triggered_at = Some(world.now());
    assert_eq!(enabled.health, Health { last_triggered_at, missed_since, ..Health::default() });
    assert_eq!(now(&world, webhook).await, enabled);
    exhaust(&world, agent).await;
    let failing = now(&world, webhook).await;
    assert_eq!((failing.is_enabled, failing.health.consecutive_failures), (true, 1), "one failure is not the end");
    assert_eq!(failing.health.failing_since, Some(world.now()));
    let same = switch(&world, webhook, true).await;
    assert_eq!(same.health, failing.health, "it was enabled already");
}

pub async fn webhooks_that_we_disabled_are_listed_until_somebody_enables_or_deletes_them(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let given_up = async |organization, limit| {
        let webhooks = store.given_up_webhooks(organization, limit).await.unwrap();
        webhooks.into_iter().map(|webhook| webhook.id).collect::<Vec<_>>()
    };
    let mut gone = Vec::new();
    for name in ["First", "Second", "Third"] {
        let agent = world.agent(name).await;
        gone.push(world.webhook("https://example.com", Some(agent)).await);
        let claimed = world.claimed(agent).await;
        world.clock.turn(SignedDuration::from_secs(1));
        store.record(world.record(&claimed, answered(410), NextStep::Gone)).await.unwrap();
    }
    let muted = world.webhook("https://all.example", None).await;
    switch(&world, muted, false).await;
    let theirs = World::new(store.clone(), "theirs").await.organization;
    assert_eq!(given_up(theirs, 10).await, []);
    assert_eq!(given_up(world.organization, 10).await, [gone[2], gone[1], gone[0]]);
    assert_eq!(given_up(world.organization, 2).await, [gone[2], gone[1]]);
    switch(&world, gone[2], true).await;
    store.delete_webhook(world.organization, gone[0], Expected::Any, world.now()).await.unwrap();
    assert_eq!(given_up(world.organization, 10).await, [gone[1]]);
}

/// What tells of webhooks that were disabled.
async fn notices(world: &World) -> Vec<preclinical_core::delivery::Delivery> {
    let deliveries = world.deliveries().await;
    deliveries.into_iter().filter(|delivery| delivery.event == EventKind::WebhookDisabled).collect()
}

pub async fn the_organization_is_told_when_an_agents_webhook_is_disabled(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let shared = world.webhook("https://all.example", None).await;
    for (name, reason) in [("Nurse", DisabledReason::Gone), ("Intake", DisabledReason::Failing)] {
        let agent = world.agent(name).await;
        let own = world.webhook("https://own.example/hook/s3cret?token=s3cret", Some(agent)).await;
        if reason == DisabledReason::Failing {
            bring_to_the_verge(&world, agent).await;
        }
        let claimed = world.claimed(agent).await;
        let (outcome, next) = match reason {
            DisabledReason::Gone => (answered(410), NextStep::Gone),
            DisabledReason::Failing => (answered(500), NextStep::Exhausted),
        };
        let record = world.record(&claimed, outcome, next);
        store.record(record.clone()).await.unwrap();
        let failing = now(&world, own).await.health;
        let told = store.claim_due(world.now(), world.leases(10)).await.unwrap();
        assert_eq!(told.len(), 1, "due at once");
        let (claimed, delivery) = (&told[0], world.delivery(record.disabling.delivery_id).await);
        assert_eq!((claimed.delivery_id, claimed.webhook_id), (delivery.id, shared));
        assert_eq!((claimed.event, claimed.url.as_str()), (EventKind::WebhookDisabled, "https://all.example"));
        assert_eq!((delivery.agent_id, delivery.run_id, delivery.created_at), (Some(agent), None, record.ended_at));
        let content: serde_json::Value = serde_json::from_slice(claimed.content.bytes()).unwrap();
        let since = preclinical_core::wire_time::format(failing.failing_since.unwrap());
        let webhook = serde_json::json!({
            "id": own, "url": "https://own.example", "agent_id": agent, "agent_name": name, "reason": reason.as_str(),
            "failing_since": since, "consecutive_failures": failing.consecutive_failures,
        });
        let settings_url = format!("{PUBLIC_URL}/agents/{agent}/edit#webhook");
        assert_eq!(content, serde_json::json!({"webhook": webhook, "settings_url": settings_url}));
        store.record(world.record(claimed, answered(200), NextStep::Delivered)).await.unwrap();
    }
    assert_eq!(notices(&world).await.len(), 2);
}

pub async fn nobody_is_told_of_the_organizations_own_webhook_or_if_there_is_none(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let gone = async |agent| {
        let claimed = world.claimed(agent).await;
        store.record(world.record(&claimed, answered(410), NextStep::Gone)).await.unwrap();
    };
    let agent = world.agent("Nobody listens").await;
    world.webhook("https://own.example", Some(agent)).await;
    gone(agent).await;
    let shared = world.webhook("https://all.example", None).await;
    let inherits = world.agent("Inherits").await;
    gone(inherits).await;
    assert!(!now(&world, shared).await.is_enabled);
    let agent = world.agent("Nobody listens any more").await;
    world.webhook("https://own.example", Some(agent)).await;
    gone(agent).await;
    assert_eq!(notices(&world).await, []);
    assert_eq!(store.next_due().await.unwrap(), None);
}

pub async fn of_racing_failures_one_disables_the_webhook_and_the_organization_is_told_once(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    world.webhook("https://all.example", None).await;
    for (name, status, next) in [("Failing", 500, NextStep::Exhausted), ("Gone", 410, NextStep::Gone)] {
        let agent = world.agent(name).await;
        let own = world.webhook("https://own.example", Some(agent)).await;
        bring_to_the_verge(&world, agent).await;
        let mut records = Vec::new();
        for _ in 0..24 {
            let claimed = world.claimed(agent).await;
            records.push(world.record(&claimed, answered(status), next));
        }
        let recorded = race(records.into_iter().map(|record| {
            let store = store.clone();
            async move { store.record(record).await }
        }));
        let recorded: Vec<Result<(), RecordError>> = recorded.await;
        assert!(recorded.iter().all(Result::is_ok), "{recorded:?}");
        let disabled = now(&world, own).await;
        let failures = DEFAULT_PATIENCE.exhausted - 1 + 24;
        assert_eq!((disabled.is_enabled, disabled.health.consecutive_failures), (false, failures));
        let told = notices(&world).await;
        assert_eq!(told.iter().filter(|notice| notice.agent_id == Some(agent)).count(), 1);
    }
}

pub async fn runs_that_end_while_we_have_their_webhook_disabled_are_missed(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let claimed = world.claimed(agent).await;
    store.record(world.record(&claimed, answered(410), NextStep::Gone)).await.unwrap();
    world.clock.turn(SignedDuration::from_secs(1));
    let run = world.run(agent, None).await;
    let dispatch = world.finish_value(run.id, preclinical_core::run::FinalStatus::Completed, Some(world.lease()));
    let id = dispatch.dispatch.delivery_id;
    let fate = store.finish_run(dispatch).await.unwrap().fate;
    assert!(matches!(fate, preclinical_core::port::Fate::NoWebhook), "{fate:?}");
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
        ended: Repeated::Missed(Missed { since, newest_per_agent }),
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
