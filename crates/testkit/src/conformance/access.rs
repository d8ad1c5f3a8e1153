//! Rules of [`preclinical_core::port::Access`].
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use jiff::SignedDuration;
use preclinical_core::{
    api_key::{ApiKey, ApiKeyText},
    id::ApiKeyId,
    port::{CreateKeyError, Page, Store},
    scope::Scope,
};

use crate::world::World;

const PAGE: Page = Page { limit: 10, offset: 0 };

/// A key of that name with its text, not yet stored.
fn key_value(world: &World, name: &str) -> (ApiKeyText, ApiKey) {
    let text = ApiKeyText::generate(&*world.chance);
    let id = ApiKeyId::generate(world.now(), &*world.chance);
    let key = ApiKey::new(&text, id, world.organization, name.to_owned(), world.now());
    (text, key)
}

pub async fn an_organization_is_created_once(store: Arc<dyn Store>) {
    let first = World::new(store.clone(), "default").await;
    assert_eq!(World::new(store.clone(), "default").await.organization, first.organization);
    assert_eq!(store.organization(&"default".parse().unwrap()).await.unwrap().unwrap().id, first.organization);
    assert_eq!(store.organization(&"other".parse().unwrap()).await.unwrap(), None);
}

pub async fn organizations_are_listed_by_their_slugs(store: Arc<dyn Store>) {
    for slug in ["b", "c", "a-1"] {
        World::new(store.clone(), slug).await;
    }
    let listed = async |limit, offset| {
        let (organizations, total) = store.organizations(Page { limit, offset }).await.unwrap();
        (organizations.into_iter().map(|organization| organization.slug.to_string()).collect::<Vec<_>>().join(" "), total)
    };
    assert_eq!(listed(2, 0).await, ("a-1 b".to_owned(), 3));
    assert_eq!(listed(2, 2).await, ("c".to_owned(), 3));
}

pub async fn a_key_is_found_by_its_hash_and_names_are_unique(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let (text, key) = key_value(&ours, "ci");
    let (again, of_the_same_name) = key_value(&ours, "ci");
    store.create_key(key).await.unwrap();
    store.create_key(key_value(&theirs, "ci").1).await.unwrap();
    assert!(matches!(store.create_key(of_the_same_name).await, Err(CreateKeyError::NameTaken)));

    assert_eq!(store.key(text.hash(), ours.now()).await.unwrap().unwrap().organization_id, ours.organization);
    assert!(store.key(again.hash(), ours.now()).await.unwrap().is_none());
}

pub async fn a_key_comes_back_as_it_was_created(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let end = world.now() + SignedDuration::from_hours(24);
    let mut created = Vec::new();
    for (scope, expires_at) in [(Scope::Read, Some(end)), (Scope::Report, None), (Scope::Write, Some(end))] {
        let (text, key) = key_value(&world, scope.as_str());
        let key = ApiKey { scope, expires_at, ..key };
        store.create_key(key.clone()).await.unwrap();
        assert_eq!(store.key(text.hash(), world.now()).await.unwrap(), Some(key.clone()));
        created.insert(0, key);
        world.clock.turn(SignedDuration::from_secs(1));
    }
    assert_eq!(store.keys(world.organization, PAGE).await.unwrap(), (created.clone(), 3));
    let second = store.keys(world.organization, Page { limit: 1, offset: 1 }).await.unwrap();
    assert_eq!(second, (created[1..2].to_vec(), 3));
    let theirs = World::new(store.clone(), "theirs").await.organization;
    assert_eq!(store.keys(theirs, PAGE).await.unwrap(), (Vec::new(), 0));
}

pub async fn a_revoked_key_is_unknown_at_once_and_its_name_free_again(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let (text, key) = key_value(&world, "ci");
    let id = key.id;
    store.create_key(key).await.unwrap();
    let theirs = World::new(store.clone(), "theirs").await.organization;
    assert!(!store.revoke_key(theirs, id, world.now()).await.unwrap());
    assert!(store.key(text.hash(), world.now()).await.unwrap().is_some());

    let revoked_at = world.now();
    assert!(store.revoke_key(world.organization, id, revoked_at).await.unwrap());
    assert_eq!(store.key(text.hash(), revoked_at).await.unwrap(), None);
    world.clock.turn(SignedDuration::from_secs(1));
    assert!(store.revoke_key(world.organization, id, world.now()).await.unwrap());
    store.create_key(key_value(&world, "ci").1).await.unwrap();
    let (keys, _) = store.keys(world.organization, PAGE).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.revoked_at).collect::<Vec<_>>(), [None, Some(revoked_at)]);
    let unknown = ApiKeyId::generate(world.now(), &*world.chance);
    assert!(!store.revoke_key(world.organization, unknown, world.now()).await.unwrap());
}

pub async fn an_expired_key_is_unknown_from_its_end_on(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let (text, key) = key_value(&world, "ci");
    let end = world.now() + SignedDuration::from_secs(60);
    store.create_key(ApiKey { expires_at: Some(end), ..key }).await.unwrap();
    let last = end - SignedDuration::from_micros(1);
    assert!(store.key(text.hash(), last).await.unwrap().is_some());
    assert_eq!(store.key(text.hash(), end).await.unwrap(), None);
    let again = store.create_key(key_value(&world, "ci").1).await;
    assert!(matches!(again, Err(CreateKeyError::NameTaken)), "it is not revoked");
}

pub async fn of_racing_keys_of_one_name_one_is_kept(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let racing: Vec<_> = (0..16)
        .map(|_| {
            let (store, (_, key)) = (store.clone(), key_value(&world, "ci"));
            tokio::spawn(async move { store.create_key(key).await.is_ok() })
        })
        .collect();
    let mut kept = 0;
    for one in racing {
        kept += usize::from(one.await.unwrap());
    }
    assert_eq!((kept, store.keys(world.organization, PAGE).await.unwrap().1), (1, 1));
}

pub async fn the_latest_use_of_a_key_is_noted(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let (text, key) = key_value(&world, "ci");
    let (_, other) = key_value(&world, "other");
    let (id, first) = (key.id, world.now());
    store.create_key(key).await.unwrap();
    store.create_key(other.clone()).await.unwrap();
    let later = first + SignedDuration::from_secs(90);
    for at in [first, later, first] {
        store.note_key_use(id, at).await.unwrap();
    }
    assert_eq!(store.key(text.hash(), later).await.unwrap().unwrap().last_used_at, Some(later));
    let (keys, _) = store.keys(world.organization, PAGE).await.unwrap();
    assert_eq!(keys.iter().find(|key| key.id == other.id), Some(&other));
    store.note_key_use(ApiKeyId::generate(world.now(), &*world.chance), later).await.unwrap();
}

pub async fn a_key_created_again_under_its_id_takes_the_place_of_the_first(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let (unseen, first) = key_value(&ours, "ci");
    let (seen, second) = key_value(&ours, "ci");
    let second = ApiKey { id: first.id, ..second };
    store.create_key(first.clone()).await.unwrap();
    store.create_key(second.clone()).await.unwrap();
    assert!(store.key(unseen.hash(), ours.now()).await.unwrap().is_none());
    assert_eq!(store.key(seen.hash(), ours.now()).await.unwrap().unwrap().id, first.id);
    assert_eq!(store.keys(ours.organization, PAGE).await.unwrap().1, 1);

    let foreign = ApiKey { organization_id: theirs.organization, ..first.clone() };
    assert!(matches!(store.create_key(foreign).await, Err(CreateKeyError::NameTaken)));
    store.revoke_key(ours.organization, first.id, ours.now()).await.unwrap();
    assert!(matches!(store.create_key(second).await, Err(CreateKeyError::NameTaken)), "a revoked key stays revoked");
}
