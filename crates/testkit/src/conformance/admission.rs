//! Rules of claiming with [`preclinical_core::port::Admission`].
#![allow(missing_docs, reason = "the names are the rules")]

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use preclinical_core::{
    id::{AgentId, DeliveryId, WebhookId},
    port::{Admitted, Applicant, Fate, NoPlaces, Standing, Store},
    retry::NextStep,
    run::FinalStatus,
};

use crate::{
    places::Places,
    world::{World, answered, unreachable},
};

/// More deliveries than a store looks at in one call.
const MANY: usize = 300;

/// Calls after which everybody has had a turn, in these tests.
const A_FEW: usize = 30;

async fn write_due(world: &World, agent: AgentId) -> DeliveryId {
    let run = world.run(agent, None).await;
    let finish = world.finish_value(run.id, FinalStatus::Completed, None);
    let id = finish.dispatch.delivery_id;
    assert!(matches!(world.store.finish_run(finish).await.unwrap().fate, Fate::Due));
    id
}

/// An agent with a webhook of its own.
async fn agent_with_webhook(world: &World, name: &str) -> (AgentId, WebhookId) {
    let agent = world.agent(name).await;
    (agent, world.webhook("https://example.com", Some(agent)).await)
}

fn leases(world: &World, count: usize) -> Vec<preclinical_core::delivery::Lease> {
    (0..count).map(|_| world.lease()).collect()
}

fn not_to(webhook: WebhookId) -> impl Fn(&Applicant) -> Option<Admitted> + Send + Sync + 'static {
    move |applicant| (applicant.webhook == webhook).then_some(Admitted::NotThisWebhook)
}

pub async fn what_is_not_admitted_stays_due(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let run = world.run(agent, None).await;
    let mut finish = world.finish_value(run.id, FinalStatus::Completed, None);
    let refused = Places::unless([world.lease()], not_to(webhook));
    finish.dispatch.places = refused.clone();
    let id = finish.dispatch.delivery_id;
    assert!(matches!(store.finish_run(finish).await.unwrap().fate, Fate::Due));
    let organization = world.organization;
    assert_eq!(refused.asked(), [Applicant { delivery: id, organization, webhook, standing: Standing::Untried }]);
    assert_eq!(store.next_due().await.unwrap(), Some(world.now()));

    assert!(store.claim_due(world.now(), Arc::new(NoPlaces)).await.unwrap().is_empty());
    assert!(store.claim_due(world.now(), Places::unless([world.lease()], not_to(webhook))).await.unwrap().is_empty());
    assert_eq!(world.delivery(id).await.attempt_count, 0);
    assert_eq!(store.claim_due(world.now(), world.leases(1)).await.unwrap()[0].delivery_id, id);
}

pub async fn whoever_asks_is_known_by_how_its_webhook_fared(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let (agent, webhook) = agent_with_webhook(&world, "Assistant").await;
    for (outcome, next, standing) in [
        (answered(200), NextStep::Delivered, Standing::Untried),
        (answered(500), NextStep::Exhausted, Standing::Proven),
        (unreachable(), NextStep::Exhausted, Standing::Failing),
        (answered(204), NextStep::Delivered, Standing::Failing),
        (answered(204), NextStep::Delivered, Standing::Proven),
    ] {
        let id = write_due(&world, agent).await;
        let places = Places::of([world.lease()]);
        let claimed = store.claim_due(world.now(), places.clone()).await.unwrap().remove(0);
        let organization = world.organization;
        assert_eq!(places.asked(), [Applicant { delivery: id, organization, webhook, standing }]);
        store.record(world.record(&claimed, outcome, next)).await.unwrap();
    }
}

pub async fn the_oldest_are_asked_first(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let mut written = Vec::new();
    for _ in 0..5 {
        written.push(write_due(&world, agent).await);
        world.clock.turn(jiff::SignedDuration::from_secs(1));
    }
    let places = Places::of(leases(&world, 3));
    let claimed = store.claim_due(world.now(), places.clone()).await.unwrap();
    assert_eq!(claimed.iter().map(|one| one.delivery_id).collect::<Vec<_>>(), written[..3]);
    assert_eq!(places.asked().iter().take(3).map(|one| one.delivery).collect::<Vec<_>>(), written[..3]);
}

pub async fn however_much_waits_for_a_place_it_holds_up_nobody_else(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let (hanging, full) = agent_with_webhook(&world, "Hanging").await;
    for _ in 0..MANY {
        write_due(&world, hanging).await;
    }
    world.clock.turn(jiff::SignedDuration::from_secs(1));
    let (healthy, _) = agent_with_webhook(&world, "Healthy").await;
    let late = write_due(&world, healthy).await;
    let claimed = store.claim_due(world.now(), Places::unless(leases(&world, 8), not_to(full))).await.unwrap();
    assert_eq!(claimed.iter().map(|one| one.delivery_id).collect::<Vec<_>>(), [late]);
}

pub async fn an_organization_that_may_have_no_more_holds_up_no_other(store: Arc<dyn Store>) {
    let noisy = World::new(store.clone(), "noisy").await;
    for number in 0..40 {
        let (agent, _) = agent_with_webhook(&noisy, &format!("Agent {number}")).await;
        for _ in 0..3 {
            write_due(&noisy, agent).await;
        }
    }
    let quiet = World::new(store.clone(), "quiet").await;
    quiet.clock.turn(jiff::SignedDuration::from_secs(60));
    let (agent, _) = agent_with_webhook(&quiet, "Agent").await;
    let late = write_due(&quiet, agent).await;
    let organization = noisy.organization;
    let rule =
        move |applicant: &Applicant| (applicant.organization == organization).then_some(Admitted::NotThisOrganization);
    let places = Places::unless(leases(&quiet, 8), rule);
    let claimed = store.claim_due(quiet.now(), places.clone()).await.unwrap();
    assert_eq!(claimed.iter().map(|one| one.delivery_id).collect::<Vec<_>>(), [late]);
}

pub async fn everybody_has_a_turn_however_many_there_are(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let (hanging, full) = agent_with_webhook(&world, "Hanging").await;
    for _ in 0..20 {
        write_due(&world, hanging).await;
    }
    world.clock.turn(jiff::SignedDuration::from_secs(1));
    let mut waiting = BTreeSet::new();
    for number in 0..50 {
        let (agent, _) = agent_with_webhook(&world, &format!("Agent {number}")).await;
        waiting.insert(write_due(&world, agent).await);
    }
    for _ in 0..A_FEW {
        let places = Places::unless(leases(&world, 4), not_to(full));
        for one in store.claim_due(world.now(), places).await.unwrap() {
            assert!(waiting.remove(&one.delivery_id), "claimed once");
        }
    }
    assert!(waiting.is_empty(), "{} had no turn", waiting.len());
}

pub async fn a_webhook_with_much_waiting_has_its_turn_among_others_that_wait(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let mut webhooks = HashMap::new();
    for number in 0..3 {
        let (agent, webhook) = agent_with_webhook(&world, &format!("Agent {number}")).await;
        webhooks.insert(webhook, 0);
        for _ in 0..(if number == 0 { 100 } else { 10 }) {
            write_due(&world, agent).await;
        }
    }
    // Each may have one more at a time.
    for _ in 0..A_FEW {
        let seen = Mutex::new(BTreeSet::new());
        let rule = move |applicant: &Applicant| {
            (!seen.lock().unwrap().insert(applicant.webhook)).then_some(Admitted::NotThisWebhook)
        };
        for one in store.claim_due(world.now(), Places::unless(leases(&world, 4), rule)).await.unwrap() {
            *webhooks.get_mut(&one.webhook_id).unwrap() += 1;
        }
    }
    let mut counts: Vec<usize> = webhooks.into_values().collect();
    counts.sort_unstable();
    assert_eq!(counts[..2], [10, 10], "nobody is starved");
    assert!(counts[2] >= 10, "nor the one with much");
}

pub async fn what_was_admitted_once_is_claimed_once(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let (agent, _) = agent_with_webhook(&world, "Assistant").await;
    let first = write_due(&world, agent).await;
    for _ in 0..5 {
        world.clock.turn(jiff::SignedDuration::from_secs(1));
        write_due(&world, agent).await;
    }
    let rule = move |applicant: &Applicant| (applicant.delivery != first).then_some(Admitted::NotThisWebhook);
    let claimed = store.claim_due(world.now(), Places::unless(leases(&world, 4), rule)).await.unwrap();
    assert_eq!(claimed.iter().map(|one| (one.delivery_id, one.attempt)).collect::<Vec<_>>(), [(first, 1)]);
}

pub async fn a_full_house_is_asked_no_further(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    for _ in 0..20 {
        write_due(&world, agent).await;
    }
    let places = Places::unless(leases(&world, 8), |_| Some(Admitted::Full));
    assert!(store.claim_due(world.now(), places.clone()).await.unwrap().is_empty());
    assert!(places.asked().len() <= 8, "{}", places.asked().len());
}
