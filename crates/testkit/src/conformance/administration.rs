//! Rules of [`preclinical_core::port::Administration`].
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use preclinical_core::{
    agent::{Agent, Provider},
    delivery::DeliveryStatus,
    id::{AgentId, WebhookId},
    port::{AgentConfig, CreateAgentError, CreateWebhookError, NewAgent, Page, Store, UpdateWebhookError},
    retry::NextStep,
    secret::SigningSecret,
    webhook::WebhookChanges,
};

use crate::world::{World, answered};

pub async fn names_of_agents_are_unique_in_an_organization(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let id = ours.agent("Assistant").await;
    theirs.agent("Assistant").await;
    let agent = Agent {
        id: AgentId::generate(ours.now(), &*ours.chance),
        ..store.agent(ours.organization, id).await.unwrap().unwrap()
    };
    let again = store.create_agent(NewAgent { agent, config: AgentConfig(b"{}".to_vec()) }).await;
    assert!(matches!(again, Err(CreateAgentError::NameTaken)));
    let page = Page { limit: 10, offset: 0 };
    assert_eq!(store.agents(ours.organization, None, page).await.unwrap().1, 1);
    assert_eq!(store.agents(ours.organization, Some(Provider::Vapi), page).await.unwrap().1, 0);
}

pub async fn a_level_has_one_webhook_however_many_calls_race(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    for level in [None, Some(agent)] {
        let calls: Vec<_> = (0..16)
            .map(|_| {
                let (store, webhook) = (store.clone(), world.webhook_value("https://example.com", level));
                tokio::spawn(async move { store.create_webhook(webhook).await })
            })
            .collect();
        let mut created = 0;
        for call in calls {
            match call.await.unwrap() {
                Ok(_) => created += 1,
                Err(CreateWebhookError::Exists) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(created, 1);
    }
}

pub async fn a_webhook_needs_an_agent_of_its_organization(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let foreign = theirs.agent("Assistant").await;
    let webhook = ours.webhook_value("https://example.com", Some(foreign));
    assert!(matches!(store.create_webhook(webhook).await, Err(CreateWebhookError::AgentNotFound)));
}

pub async fn only_the_given_fields_of_a_webhook_change(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let id = world.webhook("https://example.com/a", None).await;
    let change = |changes| store.update_webhook(world.organization, id, changes, world.now());
    let changed = change(WebhookChanges { description: Some(Some("d".into())), ..WebhookChanges::default() }).await.unwrap();
    assert_eq!((changed.url.as_str(), changed.description.as_deref()), ("https://example.com/a", Some("d")));
    assert!(changed.is_enabled && changed.secret.is_some());
    let changed = change(WebhookChanges { secret: Some(None), ..WebhookChanges::default() }).await.unwrap();
    assert!(changed.secret.is_none() && changed.description.is_some());
    let unknown = WebhookId::generate(world.now(), &*world.chance);
    let refused = store.update_webhook(world.organization, unknown, WebhookChanges::default(), world.now()).await;
    assert!(matches!(refused, Err(UpdateWebhookError::NotFound)));
}

pub async fn disabling_or_deleting_a_webhook_cancels_what_is_pending(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    for delete in [false, true] {
        let agent = world.agent(if delete { "deleted" } else { "disabled" }).await;
        let webhook = world.webhook("https://example.com", Some(agent)).await;
        let delivered = world.claimed(agent).await;
        store.record(world.record(&delivered, answered(200), NextStep::Delivered)).await.unwrap();
        let waiting = world.claimed(agent).await;
        store.record(world.record(&waiting, answered(503), NextStep::RetryAt(world.now()))).await.unwrap();
        if delete {
            assert!(store.delete_webhook(world.organization, webhook, world.now()).await.unwrap());
            assert!(!store.delete_webhook(world.organization, webhook, world.now()).await.unwrap());
        } else {
            let off = WebhookChanges { is_enabled: Some(false), ..WebhookChanges::default() };
            store.update_webhook(world.organization, webhook, off, world.now()).await.unwrap();
        }
        assert_eq!(world.delivery(delivered.delivery_id).await.status, DeliveryStatus::Delivered);
        assert_eq!(world.delivery(waiting.delivery_id).await.status, DeliveryStatus::Canceled);
        assert!(store.claim_due(world.now(), world.leases(10)).await.unwrap().is_empty());
    }
}

pub async fn a_changed_url_and_secret_apply_to_the_next_attempt(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com/old", None).await;
    let first = world.claimed(agent).await;
    store.record(world.record(&first, answered(503), NextStep::RetryAt(world.now()))).await.unwrap();
    let changes = WebhookChanges {
        url: Some("https://example.com/new".into()),
        secret: Some(Some(SigningSecret::parse("another").unwrap())),
        ..WebhookChanges::default()
    };
    store.update_webhook(world.organization, webhook, changes, world.now()).await.unwrap();
    let second = store.claim_due(world.now(), world.leases(1)).await.unwrap().remove(0);
    assert_eq!((second.url.as_str(), second.secrets[0].expose()), ("https://example.com/new", "another"));
    assert_eq!((second.attempt, second.failures), (2, 1));
}
