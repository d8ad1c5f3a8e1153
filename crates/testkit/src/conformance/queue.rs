//! Rules of [`preclinical_core::port::DeliveryQueue`].
#![allow(missing_docs, reason = "the names are the rules")]

use std::{collections::BTreeSet, sync::Arc};

use jiff::SignedDuration;
use preclinical_core::{
    attempt::ErrorKind,
    delivery::DeliveryStatus,
    event::EventKind,
    id::{AgentId, DeliveryId, WebhookId},
    port::{CancelDeliveryError, DeliveryFilter, RecordError, RedeliverError, Redelivery, Store},
    retry::NextStep,
    run::FinalStatus,
    version::Expected,
    webhook::{DisabledReason, WebhookChanges},
};
use tokio::task::JoinSet;

use crate::{
    places::Places,
    world::{LEASE, World, answered, unreachable},
};

/// More deliveries than a store cancels in one transaction.
const MANY: usize = 600;

pub async fn a_delivery_is_due_at_once_and_claimed_by_one_of_many(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    assert_eq!(store.next_due().await.unwrap(), None);
    for _ in 0..100 {
        let run = world.run(agent, None).await;
        world.complete(run.id, None).await.unwrap();
    }
    assert_eq!(store.next_due().await.unwrap(), Some(world.now()));
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let (store, now, leases) = (store.clone(), world.now(), world.leases(10));
            tokio::spawn(async move { store.claim_due(now, leases).await.unwrap() })
        })
        .collect();
    let mut claimed = Vec::new();
    for caller in callers {
        let batch = caller.await.unwrap();
        assert!(batch.len() <= 10, "no more than there are leases");
        claimed.extend(batch);
    }
    let distinct: BTreeSet<DeliveryId> = claimed.iter().map(|claimed| claimed.delivery_id).collect();
    assert_eq!((claimed.len(), distinct.len()), (100, 100));
}

pub async fn nothing_is_claimed_before_it_is_due(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let first = world.claimed(agent).await;
    let due = world.now().checked_add(SignedDuration::from_mins(1)).unwrap();
    store.record(world.record(&first, answered(503), NextStep::RetryAt(due))).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(due));
    world.clock.set(due.checked_sub(SignedDuration::from_micros(1)).unwrap());
    assert!(store.claim_due(world.now(), world.leases(1)).await.unwrap().is_empty());
    world.clock.set(due);
    assert_eq!(store.claim_due(world.now(), world.leases(1)).await.unwrap()[0].attempt, 2);
}

pub async fn a_lease_that_ended_is_claimed_again_and_its_late_record_refused(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let paused = world.claimed(agent).await;
    world.clock.turn(LEASE);
    let taken_over = store.claim_due(world.now(), world.leases(1)).await.unwrap().remove(0);
    assert_eq!((taken_over.delivery_id, taken_over.attempt, taken_over.failures), (paused.delivery_id, 2, 0));
    let late = store.record(world.record(&paused, answered(200), NextStep::Delivered)).await;
    assert!(matches!(late, Err(RecordError::LeaseLost)), "{late:?}");
    store.record(world.record(&taken_over, answered(200), NextStep::Delivered)).await.unwrap();
    let twice = store.record(world.record(&taken_over, answered(200), NextStep::Delivered)).await;
    assert!(matches!(twice, Err(RecordError::LeaseLost)), "{twice:?}");
    let (delivery, attempts) = store.delivery(world.organization, paused.delivery_id).await.unwrap().unwrap();
    assert_eq!((delivery.status, delivery.attempt_count), (DeliveryStatus::Delivered, 2));
    assert_eq!(attempts[0].error.as_ref().unwrap().kind, ErrorKind::Interrupted);
    assert_eq!(attempts[1].http_status, Some(200));
}

pub async fn a_record_moves_its_delivery_on(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let retry = world.now().checked_add(SignedDuration::from_mins(1)).unwrap();
    for (outcome, next, status, next_attempt) in [
        (answered(204), NextStep::Delivered, DeliveryStatus::Delivered, None),
        (unreachable(), NextStep::RetryAt(retry), DeliveryStatus::Pending, Some(retry)),
        (answered(500), NextStep::Exhausted, DeliveryStatus::Failed, None),
    ] {
        let claimed = world.claimed(agent).await;
        store.record(world.record(&claimed, outcome.clone(), next)).await.unwrap();
        let (delivery, attempts) = store.delivery(world.organization, claimed.delivery_id).await.unwrap().unwrap();
        assert_eq!((delivery.status, delivery.next_attempt_at), (status, next_attempt));
        assert_eq!(delivery.completed_at.is_some(), next_attempt.is_none());
        assert_eq!((delivery.http_status, delivery.duration_ms), (outcome.http_status(), Some(12)));
        assert_eq!((attempts[0].http_status, attempts[0].duration_ms), (outcome.http_status(), Some(12)));
        assert_eq!(attempts[0].error.is_some(), outcome.http_status().is_none());
    }
}

pub async fn a_receiver_that_is_gone_disables_its_webhook(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let (gone, waiting) = (world.claimed(agent).await, world.claimed(agent).await);
    store.record(world.record(&waiting, answered(503), NextStep::RetryAt(world.now()))).await.unwrap();
    store.record(world.record(&gone, answered(410), NextStep::Gone)).await.unwrap();
    let disabled = store.webhook(world.organization, webhook).await.unwrap().unwrap();
    assert_eq!((disabled.is_enabled, disabled.disabled_reason), (false, Some(DisabledReason::Gone)));
    assert_eq!(world.delivery(gone.delivery_id).await.status, DeliveryStatus::Failed);
    assert_eq!(world.delivery(waiting.delivery_id).await.status, DeliveryStatus::Canceled);
    for (is_enabled, reason) in [
        (None, Some(DisabledReason::Gone)),
        (Some(false), Some(DisabledReason::Gone)),
        (Some(true), None),
        (Some(false), None),
    ] {
        let changes = WebhookChanges { is_enabled, ..WebhookChanges::default() };
        let webhook_now = store.update_webhook(world.organization, webhook, changes, world.now()).await.unwrap();
        assert_eq!(webhook_now.disabled_reason, reason, "it is kept until the webhook is enabled");
        assert_eq!(store.webhook(world.organization, webhook).await.unwrap(), Some(webhook_now));
    }
}

pub async fn however_much_is_pending_all_of_it_is_canceled(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    for end in ["disabled", "deleted", "gone"] {
        let agent = world.agent(end).await;
        let webhook = world.webhook("https://example.com", Some(agent)).await;
        let claimed = world.claimed(agent).await;
        wait(&world, agent, MANY).await;
        match end {
            "disabled" => {
                let off = WebhookChanges { is_enabled: Some(false), ..WebhookChanges::default() };
                store.update_webhook(world.organization, webhook, off, world.now()).await.unwrap();
            }
            "deleted" => {
                assert!(store.delete_webhook(world.organization, webhook, Expected::Any, world.now()).await.unwrap());
            }
            _ => store.record(world.record(&claimed, answered(410), NextStep::Gone)).await.unwrap(),
        }
        assert_eq!(count(&world, webhook, DeliveryStatus::Pending).await, 0, "{end}");
        assert_eq!(store.next_due().await.unwrap(), None, "{end}");
        let canceled = MANY + usize::from(end != "gone");
        assert_eq!(count(&world, webhook, DeliveryStatus::Canceled).await, canceled, "{end}");
    }
}

const CALLERS: usize = 12;

/// Ends that many runs, with deliveries that nobody claims.
async fn wait(world: &World, agent: AgentId, many: usize) {
    let mut endings = JoinSet::new();
    for _ in 0..CALLERS {
        let runs = (0..many / CALLERS).map(|_| world.run_value(agent, None));
        let runs = runs.map(|run| (world.finish_value(run.id, FinalStatus::Completed, None), run)).collect::<Vec<_>>();
        let store = world.store.clone();
        endings.spawn(async move {
            for (finish, run) in runs {
                store.create_run(run).await.unwrap();
                store.finish_run(finish).await.unwrap();
            }
        });
    }
    endings.join_all().await;
}

async fn count(world: &World, webhook: WebhookId, status: DeliveryStatus) -> usize {
    let filter =
        DeliveryFilter { status: Some(status), webhook_id: Some(webhook), limit: 10_000, ..DeliveryFilter::default() };
    world.store.deliveries(world.organization, filter).await.unwrap().deliveries.len()
}

pub async fn a_success_is_never_forgotten(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let (taken, failed) = (world.claimed(agent).await, world.claimed(agent).await);
    store.delete_webhook(world.organization, webhook, Expected::Any, world.now()).await.unwrap();
    store.record(world.record(&taken, answered(200), NextStep::Delivered)).await.unwrap();
    store.record(world.record(&failed, answered(503), NextStep::RetryAt(world.now()))).await.unwrap();
    assert_eq!(world.delivery(taken.delivery_id).await.status, DeliveryStatus::Delivered);
    assert_eq!(world.delivery(failed.delivery_id).await.status, DeliveryStatus::Canceled);
    assert_eq!(store.next_due().await.unwrap(), None);
}

pub async fn the_health_of_a_webhook_follows_its_attempts(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    for (outcome, next, failures) in [
        (answered(503), NextStep::Exhausted, 1),
        (unreachable(), NextStep::Exhausted, 2),
        (answered(200), NextStep::Delivered, 0),
    ] {
        let claimed = world.claimed(agent).await;
        world.clock.turn(SignedDuration::from_secs(1));
        store.record(world.record(&claimed, outcome, next)).await.unwrap();
        let health = store.webhook(world.organization, webhook).await.unwrap().unwrap().health;
        assert_eq!(health.consecutive_failures, failures);
        assert!(health.last_triggered_at.is_some());
    }
}

pub async fn a_test_is_made_once_and_leaves_the_webhook_alone(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let webhook = world.webhook("https://example.com", None).await;
    let off = WebhookChanges { is_enabled: Some(false), ..WebhookChanges::default() };
    store.update_webhook(world.organization, webhook, off, world.now()).await.unwrap();

    let failed = world.enqueue_test(webhook).await.unwrap();
    store.record(world.record(&failed, answered(500), NextStep::Exhausted)).await.unwrap();
    let cut_off = world.enqueue_test(webhook).await.unwrap();
    world.clock.turn(LEASE);
    assert!(store.claim_due(world.now(), world.leases(10)).await.unwrap().is_empty());
    for test in [failed, cut_off] {
        let delivery = world.delivery(test.delivery_id).await;
        assert_eq!((delivery.status, delivery.attempt_count, delivery.run_id), (DeliveryStatus::Failed, 1, None));
    }
    let health = store.webhook(world.organization, webhook).await.unwrap().unwrap().health;
    assert_eq!((health.consecutive_failures, health.last_triggered_at), (0, None));
}

pub async fn a_redelivery_is_a_new_delivery_of_the_same_event(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let old = world.claimed(agent).await;
    store.record(world.record(&old, answered(200), NextStep::Delivered)).await.unwrap();
    let redeliver = |of, lease| {
        let delivery_id = DeliveryId::generate(world.now(), &*world.chance);
        store.redeliver(Redelivery {
            organization_id: world.organization,
            of,
            delivery_id,
            places: Places::of(lease),
            at: world.now(),
        })
    };
    let new = redeliver(old.delivery_id, Some(world.lease())).await.unwrap();
    let claimed = new.claimed.unwrap();
    assert_eq!(new.delivery.redelivery_of, Some(old.delivery_id));
    assert_eq!((&claimed.content, claimed.attempt), (&old.content, 1));
    assert_ne!(claimed.delivery_id, old.delivery_id);
    assert_eq!(world.delivery(old.delivery_id).await.status, DeliveryStatus::Delivered);
    assert!(redeliver(old.delivery_id, None).await.unwrap().claimed.is_none());

    let unknown = DeliveryId::generate(world.now(), &*world.chance);
    assert!(matches!(redeliver(unknown, None).await, Err(RedeliverError::NotFound)));
    let off = WebhookChanges { is_enabled: Some(false), ..WebhookChanges::default() };
    store.update_webhook(world.organization, webhook, off, world.now()).await.unwrap();
    assert!(matches!(redeliver(old.delivery_id, None).await, Err(RedeliverError::WebhookDisabled)));
    store.delete_webhook(world.organization, webhook, Expected::Any, world.now()).await.unwrap();
    assert!(matches!(redeliver(old.delivery_id, None).await, Err(RedeliverError::WebhookDeleted)));
}

pub async fn a_repeated_test_is_a_test_that_is_made_once(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let webhook = world.webhook("https://example.com", None).await;
    let off = WebhookChanges { is_enabled: Some(false), ..WebhookChanges::default() };
    store.update_webhook(world.organization, webhook, off, world.now()).await.unwrap();
    let old = world.enqueue_test(webhook).await.unwrap();
    store.record(world.record(&old, answered(500), NextStep::Exhausted)).await.unwrap();
    let redeliver = |lease| {
        let delivery_id = DeliveryId::generate(world.now(), &*world.chance);
        let (of, organization_id) = (old.delivery_id, world.organization);
        store.redeliver(Redelivery { organization_id, of, delivery_id, places: Places::of(lease), at: world.now() })
    };
    let at_once = redeliver(Some(world.lease())).await.unwrap();
    let claimed = at_once.claimed.unwrap();
    assert_eq!((claimed.event, claimed.attempt, &claimed.content), (EventKind::Test, 1, &old.content));
    assert_eq!((at_once.delivery.redelivery_of, at_once.delivery.run_id), (Some(old.delivery_id), None));
    store.record(world.record(&claimed, answered(200), NextStep::Delivered)).await.unwrap();

    let later = redeliver(None).await.unwrap().delivery.id;
    assert_eq!(store.claim_due(world.now(), world.leases(10)).await.unwrap()[0].delivery_id, later);
    world.clock.turn(LEASE);
    assert!(store.claim_due(world.now(), world.leases(10)).await.unwrap().is_empty(), "it is not made twice");
    assert_eq!(world.delivery(later).await.status, DeliveryStatus::Failed);
}

pub async fn a_pending_delivery_can_be_canceled_and_one_that_has_ended_cannot(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let (canceled, other) = (world.claimed(agent).await, world.claimed(agent).await);
    for claimed in [&canceled, &other] {
        store.record(world.record(claimed, answered(503), NextStep::RetryAt(world.now()))).await.unwrap();
    }
    let theirs = World::new(store.clone(), "theirs").await.organization;
    let stranger = store.cancel_delivery(theirs, canceled.delivery_id, world.now()).await;
    assert!(matches!(stranger, Err(CancelDeliveryError::NotFound)), "{stranger:?}");
    world.clock.turn(SignedDuration::from_secs(1));
    let cancel = |id| store.cancel_delivery(world.organization, id, world.now());
    let delivery = cancel(canceled.delivery_id).await.unwrap();
    assert_eq!((delivery.status, delivery.completed_at), (DeliveryStatus::Canceled, Some(world.now())));
    assert_eq!((delivery.next_attempt_at, delivery.http_status), (None, Some(503)));
    assert_eq!(world.delivery(canceled.delivery_id).await, delivery);
    let due = store.claim_due(world.now(), world.leases(10)).await.unwrap();
    assert_eq!(due.iter().map(|claimed| claimed.delivery_id).collect::<Vec<_>>(), [other.delivery_id]);
    store.record(world.record(&due[0], answered(200), NextStep::Delivered)).await.unwrap();

    let failed = world.claimed(agent).await;
    store.record(world.record(&failed, answered(500), NextStep::Exhausted)).await.unwrap();
    for (ended, status) in [
        (canceled.delivery_id, DeliveryStatus::Canceled),
        (other.delivery_id, DeliveryStatus::Delivered),
        (failed.delivery_id, DeliveryStatus::Failed),
    ] {
        let before = world.delivery(ended).await;
        let refused = cancel(ended).await;
        assert!(matches!(refused, Err(CancelDeliveryError::AlreadyEnded(current)) if current == status), "{refused:?}");
        assert_eq!(world.delivery(ended).await, before);
    }
    let unknown = DeliveryId::generate(world.now(), &*world.chance);
    assert!(matches!(cancel(unknown).await, Err(CancelDeliveryError::NotFound)));
}

pub async fn an_attempt_under_way_when_its_delivery_is_canceled_is_still_recorded(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    for (outcome, next, status) in [
        (answered(200), NextStep::Delivered, DeliveryStatus::Delivered),
        (answered(503), NextStep::RetryAt(world.now()), DeliveryStatus::Canceled),
        (unreachable(), NextStep::Exhausted, DeliveryStatus::Canceled),
    ] {
        let claimed = world.claimed(agent).await;
        store.cancel_delivery(world.organization, claimed.delivery_id, world.now()).await.unwrap();
        store.record(world.record(&claimed, outcome.clone(), next)).await.unwrap();
        let (delivery, attempts) = store.delivery(world.organization, claimed.delivery_id).await.unwrap().unwrap();
        assert_eq!((delivery.status, delivery.next_attempt_at), (status, None));
        assert_eq!((attempts[0].http_status, attempts[0].duration_ms), (outcome.http_status(), Some(12)));
        assert_eq!(store.next_due().await.unwrap(), None);
    }
    let cut_off = world.claimed(agent).await;
    store.cancel_delivery(world.organization, cut_off.delivery_id, world.now()).await.unwrap();
    world.clock.turn(LEASE);
    assert!(store.claim_due(world.now(), world.leases(10)).await.unwrap().is_empty());
    assert_eq!(world.delivery(cut_off.delivery_id).await.status, DeliveryStatus::Canceled);
}
