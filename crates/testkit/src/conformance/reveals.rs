//! Rules of [`preclinical_core::port::Administration`] about secrets that are shown to members.
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use jiff::SignedDuration;
use preclinical_core::{
    id::{RotationId, WebhookId},
    port::{RevealSecretError, Store},
    reveal::{KEPT_REVEALS, SecretReveal},
    secret::SigningSecret,
    version::Expected,
    webhook::{SecretRotation, WebhookChanges},
};

use crate::world::World;

fn by(world: &World, name: &str) -> SecretReveal {
    SecretReveal { by: format!("{name}@example.com").parse().unwrap(), at: world.now() }
}

async fn revealed(world: &World, webhook: WebhookId, name: &str) -> Option<String> {
    let secret = world.store.reveal_secret(world.organization, webhook, by(world, name)).await.unwrap();
    secret.map(|secret| secret.expose().to_owned())
}

pub async fn a_revealed_secret_is_the_one_in_force_and_who_saw_it_is_noted(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let other = world.webhook("https://example.com", Some(agent)).await;
    let reveals = |limit| store.secret_reveals(world.organization, webhook, limit);
    assert_eq!(reveals(10).await.unwrap(), []);
    let before = store.webhook(world.organization, webhook).await.unwrap();
    let mut expected = vec![by(&world, "ada")];
    assert_eq!(revealed(&world, webhook, "ada").await.as_deref(), Some("s3cret"));
    assert_eq!(store.webhook(world.organization, webhook).await.unwrap(), before, "a look changes nothing");

    let rotation = SecretRotation {
        id: RotationId::generate(world.now(), &*world.chance),
        secret: SigningSecret::parse("second").unwrap(),
        overlap: SignedDuration::from_secs(60),
    };
    store.rotate_secret(world.organization, webhook, rotation, world.now()).await.unwrap();
    // Newest is who came last, whatever the clock says.
    world.clock.turn(SignedDuration::from_secs(-60));
    expected.insert(0, by(&world, "grace"));
    assert_eq!(revealed(&world, webhook, "grace").await.as_deref(), Some("second"));
    expected.insert(0, by(&world, "grace"));
    assert_eq!(revealed(&world, webhook, "grace").await.as_deref(), Some("second"));
    assert_eq!(reveals(10).await.unwrap(), expected);
    assert_eq!(reveals(1).await.unwrap(), expected[..1]);
    assert_eq!(store.secret_reveals(world.organization, other, 10).await.unwrap(), []);
}

pub async fn where_nothing_is_shown_nothing_is_noted(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let webhook = ours.webhook("https://example.com", None).await;
    for (world, id) in [(&theirs, webhook), (&ours, WebhookId::generate(ours.now(), &*ours.chance))] {
        let refused = store.reveal_secret(world.organization, id, by(world, "eve")).await;
        assert!(matches!(refused, Err(RevealSecretError::NotFound)), "{refused:?}");
    }
    let none = WebhookChanges { secret: Some(None), ..WebhookChanges::default() };
    store.update_webhook(ours.organization, webhook, none, ours.now()).await.unwrap();
    assert_eq!(revealed(&ours, webhook, "ada").await, None);
    assert_eq!(store.secret_reveals(ours.organization, webhook, 10).await.unwrap(), []);

    let set = WebhookChanges { secret: Some(Some(SigningSecret::parse("set").unwrap())), ..WebhookChanges::default() };
    store.update_webhook(ours.organization, webhook, set, ours.now()).await.unwrap();
    assert_eq!(revealed(&ours, webhook, "ada").await.as_deref(), Some("set"));
    assert_eq!(store.secret_reveals(ours.organization, webhook, 10).await.unwrap(), [by(&ours, "ada")]);
    assert_eq!(store.secret_reveals(theirs.organization, webhook, 10).await.unwrap(), []);
}

pub async fn only_the_newest_reveals_of_a_webhook_are_kept(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let other = world.webhook("https://example.com", Some(agent)).await;
    revealed(&world, other, "ada").await;
    let mut expected = Vec::new();
    for number in 0..KEPT_REVEALS + 3 {
        world.clock.turn(SignedDuration::from_secs(1));
        revealed(&world, webhook, &number.to_string()).await;
        expected.insert(0, by(&world, &number.to_string()));
    }
    expected.truncate(KEPT_REVEALS as usize);
    assert_eq!(store.secret_reveals(world.organization, webhook, 1000).await.unwrap(), expected);
    assert_eq!(store.secret_reveals(world.organization, other, 1000).await.unwrap().len(), 1);
}

pub async fn the_reveals_of_a_webhook_are_deleted_with_it(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    for of_agent in [false, true] {
        let new = world.webhook_value("https://example.com", of_agent.then_some(agent));
        let webhook = store.create_webhook(new.clone()).await.unwrap().id;
        revealed(&world, webhook, "ada").await;
        let deleted = if of_agent {
            store.delete_agent(world.organization, agent, Expected::Any, world.now()).await
        } else {
            store.delete_webhook(world.organization, webhook, Expected::Any, world.now()).await
        };
        assert!(deleted.unwrap());
        assert_eq!(store.secret_reveals(world.organization, webhook, 10).await.unwrap(), []);
        if !of_agent {
            store.create_webhook(new).await.unwrap();
            assert_eq!(store.secret_reveals(world.organization, webhook, 10).await.unwrap(), [], "under the same id, too");
        }
    }
}
