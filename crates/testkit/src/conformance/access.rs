//! Rules of [`preclinical_core::port::Access`].

use std::sync::Arc;

use preclinical_core::{
    api_key::{ApiKey, ApiKeyText},
    id::ApiKeyId,
    port::{CreateKeyError, Store},
};

use crate::world::World;

#[allow(missing_docs, reason = "the name is the rule")]
pub async fn an_organization_is_created_once(store: Arc<dyn Store>) {
    let first = World::new(store.clone(), "default").await;
    assert_eq!(World::new(store.clone(), "default").await.organization, first.organization);
    assert_eq!(store.organization("default").await.unwrap().unwrap().id, first.organization);
    assert_eq!(store.organization("other").await.unwrap(), None);
}

#[allow(missing_docs, reason = "the name is the rule")]
pub async fn a_key_is_found_by_its_hash_and_names_are_unique(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let text = ApiKeyText::generate(&*ours.chance);
    let key = |world: &World, text: &ApiKeyText| ApiKey {
        id: ApiKeyId::generate(world.now(), &*world.chance),
        organization_id: world.organization,
        name: "ci".to_owned(),
        hash: text.hash(),
        created_at: world.now(),
    };
    store.create_key(key(&ours, &text)).await.unwrap();
    store.create_key(key(&theirs, &ApiKeyText::generate(&*ours.chance))).await.unwrap();
    let again = ApiKeyText::generate(&*ours.chance);
    assert!(matches!(store.create_key(key(&ours, &again)).await, Err(CreateKeyError::NameTaken)));

    assert_eq!(store.key(text.hash()).await.unwrap().unwrap().organization_id, ours.organization);
    assert!(store.key(again.hash()).await.unwrap().is_none());
}
