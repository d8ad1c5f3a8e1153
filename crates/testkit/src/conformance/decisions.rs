//! Rules of what is told about the choice of webhooks, before and after it.
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use jiff::SignedDuration;
use preclinical_core::{
    choice::{
        Level,
        Ruling::{self, Disabled, Overridden, Sent},
    },
    decision::{Decision, DecisionOutcome},
    delivery::DeliveryStatus,
    id::{AgentId, RunId, WebhookId},
    port::{Page, Store},
    retry::NextStep,
    run::RunRef,
    version::Expected,
    webhook::{DisabledReason, WebhookChanges},
};

use crate::world::{World, answered};

const ALL: Page = Page { limit: 10, offset: 0 };

/// Level, webhook, URL and ruling of each decision about a run; a missing webhook is left out.
async fn decided(world: &World, run: RunId) -> Vec<(Level, WebhookId, String, Ruling)> {
    let (decisions, total) = world.store.decisions(world.organization, RunRef::Id(run), ALL).await.unwrap().unwrap();
    assert_eq!(total, decisions.len() as u64);
    let about = decisions.into_iter().filter_map(|decision| decision.about);
    about.map(|judged| (judged.level, judged.webhook_id, judged.url, judged.ruling)).collect()
}

async fn ended(world: &World, agent: AgentId) -> RunId {
    let run = world.run(agent, None).await.id;
    world.complete(run, None).await.unwrap();
    run
}

async fn only(world: &World, run: RunId) -> Decision {
    let mut found = world.store.decisions(world.organization, RunRef::Id(run), ALL).await.unwrap().unwrap().0;
    assert_eq!(found.len(), 1);
    found.remove(0)
}

pub async fn an_ending_says_of_every_webhook_what_was_decided(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let open = world.run(agent, None).await.id;
    let none = store.decisions(world.organization, RunRef::Id(open), ALL).await.unwrap();
    assert_eq!(none, Some((vec![], 0)), "nothing is decided yet");

    let nobody = ended(&world, agent).await;
    let only = only(&world, nobody).await;
    assert_eq!((only.about.as_ref(), only.decided_at, only.outcome()), (None, world.now(), DecisionOutcome::NoWebhook));

    let default = world.webhook("https://a.example", None).await;
    let inherited = ended(&world, agent).await;
    let own = world.webhook("https://b.example", Some(agent)).await;
    let overriding = ended(&world, agent).await;
    let off = WebhookChanges { is_enabled: Some(false), ..WebhookChanges::default() };
    store.update_webhook(world.organization, own, off, world.now()).await.unwrap();
    let muted = ended(&world, agent).await;
    let (a, b) = ("https://a.example".to_owned(), "https://b.example".to_owned());
    let organizations = (Level::Organization, default, a.clone(), Overridden);
    assert_eq!(decided(&world, inherited).await, [(Level::Organization, default, a, Sent)]);
    assert_eq!(decided(&world, overriding).await, [(Level::Agent, own, b.clone(), Sent), organizations.clone()]);
    assert_eq!(decided(&world, muted).await, [(Level::Agent, own, b, Disabled(None)), organizations]);
}

pub async fn what_was_decided_never_changes(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://old.example", None).await;
    let claimed = world.claimed(agent).await;
    let run = world.delivery(claimed.delivery_id).await.run_id.unwrap();
    let before = decided(&world, run).await;
    world.clock.turn(SignedDuration::from_secs(1));
    let changes = WebhookChanges { url: Some("https://new.example".into()), ..WebhookChanges::default() };
    store.update_webhook(world.organization, webhook, changes, world.now()).await.unwrap();
    world.webhook("https://own.example", Some(agent)).await;
    assert_eq!(decided(&world, run).await, before);
    store.delete_webhook(world.organization, webhook, Expected::default(), world.now()).await.unwrap();
    assert_eq!(decided(&world, run).await, before);
}

pub async fn a_decision_shows_its_delivery_as_it_is_now(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let claimed = world.claimed(agent).await;
    let run = world.delivery(claimed.delivery_id).await.run_id.unwrap();
    let shown = async || only(&world, run).await.about.unwrap().delivery.unwrap();
    assert_eq!((shown().await.id, shown().await.status), (claimed.delivery_id, DeliveryStatus::Pending));
    store.record(world.record(&claimed, answered(200), NextStep::Delivered)).await.unwrap();
    assert_eq!(shown().await, world.delivery(claimed.delivery_id).await);
    assert_eq!(only(&world, run).await.outcome(), DecisionOutcome::Delivered);
}

pub async fn a_webhook_that_we_disabled_is_remembered_with_the_reason(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let claimed = world.claimed(agent).await;
    store.record(world.record(&claimed, answered(410), NextStep::Gone)).await.unwrap();
    let run = ended(&world, agent).await;
    let gone = Disabled(Some(DisabledReason::Gone));
    let ruling = async |run| decided(&world, run).await[0].3;
    assert_eq!(ruling(run).await, gone);
    let in_force = store.webhook_in_force(world.organization, agent).await.unwrap().unwrap();
    assert_eq!((in_force.webhook.id, in_force.ruling), (webhook, gone));
    let on = WebhookChanges { is_enabled: Some(true), ..WebhookChanges::default() };
    store.update_webhook(world.organization, webhook, on, world.now()).await.unwrap();
    assert_eq!(ruling(run).await, gone, "then it was");
    assert_eq!(ruling(ended(&world, agent).await).await, Sent);
}

pub async fn the_webhook_in_force_is_the_one_that_a_run_would_be_judged_by(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let in_force = async || {
        let found = store.webhook_in_force(world.organization, agent).await.unwrap();
        found.map(|found| (found.level, found.webhook.id, found.ruling))
    };
    let switch = async |webhook, on| {
        let changes = WebhookChanges { is_enabled: Some(on), ..WebhookChanges::default() };
        store.update_webhook(world.organization, webhook, changes, world.now()).await.unwrap();
    };
    assert_eq!(in_force().await, None);
    let default = world.webhook("https://a.example", None).await;
    assert_eq!(in_force().await, Some((Level::Organization, default, Sent)));
    switch(default, false).await;
    assert_eq!(in_force().await, Some((Level::Organization, default, Disabled(None))));
    let own = world.webhook("https://b.example", Some(agent)).await;
    assert_eq!(in_force().await, Some((Level::Agent, own, Sent)));
    switch(own, false).await;
    switch(default, true).await;
    assert_eq!(in_force().await, Some((Level::Agent, own, Disabled(None))), "a disabled one still overrides");
}
