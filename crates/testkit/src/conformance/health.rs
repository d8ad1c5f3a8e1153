//! Rules of how webhooks do: streaks, giving up, and telling of it.
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use jiff::SignedDuration;
use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    event::EventKind,
    health::{DEFAULT_PATIENCE, Health, HealthStatus},
    id::{AgentId, DeliveryId, WebhookId},
    port::{AttemptRecord, Disabling, RecordError, Store},
    retry::NextStep,
    version::Expected,
    webhook::{DisabledReason, Webhook, WebhookChanges},
};

use super::race;
use crate::world::{PUBLIC_URL, World, answered, unreachable};

pub(super) async fn now(world: &World, webhook: WebhookId) -> Webhook {
    world.store.webhook(world.organization, webhook).await.unwrap().unwrap()
}

pub(super) async fn switch(world: &World, webhook: WebhookId, on: bool) -> Webhook {
    let changes = WebhookChanges { is_enabled: Some(on), ..WebhookChanges::default() };
    world.store.update_webhook(world.organization, webhook, changes, world.now()).await.unwrap()
}

/// A delivery that fails for good, a second after the last.
pub(super) async fn exhaust(world: &World, agent: AgentId) -> DeliveryId {
    let claimed = world.claimed(agent).await;
    world.clock.turn(SignedDuration::from_secs(1));
    world.store.record(world.record(&claimed, answered(500), NextStep::Exhausted)).await.unwrap();
    claimed.delivery_id
}

/// As many as it takes, but for the last, which is to come when the time is over.
pub(super) async fn bring_to_the_verge(world: &World, agent: AgentId) -> Vec<DeliveryId> {
    let mut failed = Vec::new();
    for _ in 1..DEFAULT_PATIENCE.exhausted {
        failed.push(exhaust(world, agent).await);
    }
    world.clock.turn(DEFAULT_PATIENCE.time);
    failed
}

pub(super) async fn deliver(world: &World, agent: AgentId) -> DeliveryId {
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
async fn notices(world: &World) -> Vec<Delivery> {
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
