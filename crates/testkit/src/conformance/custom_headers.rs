//! Rules of [`preclinical_core::port`] about the custom headers of webhooks.
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use jiff::SignedDuration;
use preclinical_core::{
    custom_header::{CustomHeaders, HeaderName, HeaderRefusal, MAX_HEADERS, WantedHeader},
    delivery::Claimed,
    id::{AgentId, DeliveryId, RotationId, WebhookId},
    port::{NewWebhook, Redelivery, Store, UpdateWebhookError},
    retry::NextStep,
    secret::SigningSecret,
    version::{Expected, Version},
    webhook::{SecretRotation, Webhook, WebhookChanges},
};

use crate::world::{World, answered, header_pairs, wanted};

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn names(webhook: &Webhook) -> Vec<&str> {
    webhook.header_names.iter().map(HeaderName::as_str).collect()
}

fn new(world: &World, agent: Option<AgentId>, headers: &[(&str, &str)]) -> NewWebhook {
    let headers = headers.iter().map(|(name, value)| wanted(name, Some(value))).collect();
    let headers = CustomHeaders::default().changed(headers).unwrap();
    NewWebhook { headers, ..world.webhook_value("https://example.com", agent) }
}

async fn change(world: &World, webhook: WebhookId, headers: Vec<WantedHeader>) -> Result<Webhook, UpdateWebhookError> {
    let changes = WebhookChanges { headers: Some(headers), ..WebhookChanges::default() };
    world.store.update_webhook(world.organization, webhook, changes, world.now()).await
}

fn sends(claimed: &Claimed, expected: &[(&str, &str)]) {
    assert_eq!(header_pairs(&claimed.headers), pairs(expected));
}

pub async fn custom_headers_come_with_every_claim_of_their_webhook(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let (with, without) = (world.agent("with").await, world.agent("without").await);
    let headers = [("X-Tenant", "acme; a=\"b\", c\\d"), ("Authorization", "Bearer e30.e30.x")];
    let created = store.create_webhook(new(&world, Some(with), &headers)).await.unwrap();
    assert_eq!(names(&created), ["X-Tenant", "Authorization"]);
    assert_eq!(store.webhook(world.organization, created.id).await.unwrap(), Some(created.clone()));
    let other = world.webhook("https://other.example", Some(without)).await;
    assert!(names(&store.webhook(world.organization, other).await.unwrap().unwrap()).is_empty());

    let first = world.claimed(with).await;
    sends(&first, &headers);
    sends(&world.claimed(without).await, &[]);
    sends(&world.enqueue_test(created.id).await.unwrap(), &headers);
    store.record(world.record(&first, answered(503), NextStep::RetryAt(world.now()))).await.unwrap();
    let retried = store.claim_due(world.now(), world.leases(1)).await.unwrap().remove(0);
    sends(&retried, &headers);
    store.record(world.record(&retried, answered(200), NextStep::Delivered)).await.unwrap();
    let repeated = Redelivery {
        organization_id: world.organization,
        of: first.delivery_id,
        delivery_id: DeliveryId::generate(world.now(), &*world.chance),
        places: world.leases(1),
        at: world.now(),
    };
    sends(&store.redeliver(repeated).await.unwrap().claimed.unwrap(), &headers);
}

pub async fn custom_headers_are_replaced_as_a_whole_and_one_without_a_value_keeps_its_own(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let created =
        store.create_webhook(new(&world, None, &[("X-One", "1"), ("X-Two", "2"), ("X-Three", "3")])).await.unwrap();
    let first = world.claimed(agent).await;
    store.record(world.record(&first, answered(503), NextStep::RetryAt(world.now()))).await.unwrap();

    let headers = vec![wanted("x-three", None), wanted("X-One", Some("new")), wanted("X-Four", Some("4"))];
    let changed = change(&world, created.id, headers).await.unwrap();
    assert_eq!((names(&changed), changed.version), (vec!["x-three", "X-One", "X-Four"], Version(2)));
    assert_eq!(store.webhook(world.organization, created.id).await.unwrap().as_ref(), Some(&changed));
    let second = store.claim_due(world.now(), world.leases(1)).await.unwrap().remove(0);
    assert_eq!((second.delivery_id, second.attempt), (first.delivery_id, 2));
    sends(&second, &[("x-three", "3"), ("X-One", "new"), ("X-Four", "4")]);

    let none = change(&world, created.id, Vec::new()).await.unwrap();
    assert!(none.header_names.is_empty());
    sends(&world.claimed(agent).await, &[]);
    let forgotten = change(&world, created.id, vec![wanted("X-One", None)]).await;
    assert!(matches!(forgotten, Err(UpdateWebhookError::Header(refused)) if refused.why == HeaderRefusal::NothingToKeep));
}

pub async fn a_refused_change_of_custom_headers_changes_nothing_else_either(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let created = store.create_webhook(new(&world, None, &[("X-One", "1")])).await.unwrap();
    let many = (0..=MAX_HEADERS).map(|number| wanted(&format!("X-{number}"), Some("1"))).collect();
    let twice = vec![wanted("X-One", Some("2")), wanted("x-one", None)];
    for (headers, why) in [
        (vec![wanted("X-One", Some("2")), wanted("X-Two", None)], HeaderRefusal::NothingToKeep),
        (twice, HeaderRefusal::Twice),
        (many, HeaderRefusal::TooMany),
    ] {
        let changes = WebhookChanges {
            url: Some("https://example.com/new".to_owned()),
            secret: Some(None),
            headers: Some(headers),
            is_enabled: Some(false),
            ..WebhookChanges::default()
        };
        let refused = store.update_webhook(world.organization, created.id, changes, world.now()).await;
        assert!(matches!(refused, Err(UpdateWebhookError::Header(refused)) if refused.why == why), "{why}");
    }
    let expected = Expected::OneOf(vec![Version(7)]);
    let changes = WebhookChanges { expected, headers: Some(Vec::new()), ..WebhookChanges::default() };
    let stale = store.update_webhook(world.organization, created.id, changes, world.now()).await;
    assert!(matches!(stale, Err(UpdateWebhookError::Stale)));
    assert_eq!(store.webhook(world.organization, created.id).await.unwrap(), Some(created));
    let claimed = world.claimed(agent).await;
    assert_eq!((claimed.url.as_str(), claimed.secrets.len()), ("https://example.com", 1));
    sends(&claimed, &[("X-One", "1")]);
}

pub async fn custom_headers_outlast_every_other_change_of_their_webhook(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let headers = [("X-Tenant", "acme")];
    let webhook = store.create_webhook(new(&world, None, &headers)).await.unwrap().id;
    let rotation = SecretRotation {
        id: RotationId::generate(world.now(), &*world.chance),
        secret: SigningSecret::parse("second").unwrap(),
        overlap: SignedDuration::from_secs(60),
    };
    let rotated = store.rotate_secret(world.organization, webhook, rotation, world.now()).await.unwrap();
    assert_eq!(names(&rotated), ["X-Tenant"]);
    sends(&world.claimed(agent).await, &headers);
    let changes = WebhookChanges {
        url: Some("https://example.com/new".to_owned()),
        secret: Some(None),
        description: Some(Some("d".to_owned())),
        ..WebhookChanges::default()
    };
    let after = store.update_webhook(world.organization, webhook, changes, world.now()).await.unwrap();
    assert_eq!(names(&after), ["X-Tenant"]);
    let claimed = world.claimed(agent).await;
    assert!(claimed.secrets.is_empty());
    sends(&claimed, &headers);
}

pub async fn custom_headers_are_gone_with_their_webhook(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = store.create_webhook(new(&world, None, &[("X-Tenant", "acme")])).await.unwrap().id;
    assert!(store.delete_webhook(world.organization, webhook, Expected::Any, world.now()).await.unwrap());
    let next = world.webhook("https://example.com", None).await;
    sends(&world.claimed(agent).await, &[]);
    let kept = change(&world, next, vec![wanted("X-Tenant", None)]).await;
    assert!(matches!(kept, Err(UpdateWebhookError::Header(refused)) if refused.why == HeaderRefusal::NothingToKeep));
}
