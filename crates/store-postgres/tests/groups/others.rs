//! Records that are written at once, and keys that are looked up at once.

use preclinical_core::{
    api_key::{ApiKey, ApiKeyText},
    delivery::DeliveryStatus,
    id::{ApiKeyId, LeaseToken},
    port::{Access, DeliveryQueue, RecordError, StoreError},
    retry::NextStep,
};
use preclinical_testkit::world::answered;

use super::{Scene, call};

#[tokio::test]
async fn a_record_that_comes_too_late_does_not_take_the_place_of_the_one_whose_lease_holds() {
    let Some(scene) = Scene::new().await else { return };
    let world = &scene.world;
    let claimed = world.claimed(scene.agent).await;
    let mut late = world.record(&claimed, answered(500), NextStep::Exhausted);
    late.lease = LeaseToken::generate(world.now(), &*world.chance);
    let right = world.record(&claimed, answered(200), NextStep::Delivered);
    let repeated = world.record(&claimed, answered(200), NextStep::Delivered);
    let calls: Vec<_> = [late, right, repeated].into_iter().map(|record| call(scene.store.record(record))).collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await);
    }
    assert!(matches!(&answers[..], [Err(RecordError::LeaseLost), Ok(()), Err(RecordError::LeaseLost)]), "{answers:?}");
    assert_eq!(world.delivery(claimed.delivery_id).await.status, DeliveryStatus::Delivered);
}

#[tokio::test]
async fn a_key_that_cannot_be_read_is_no_trouble_of_others() {
    let Some(scene) = Scene::new().await else { return };
    let world = &scene.world;
    let mut hashes = Vec::new();
    for name in ["ours", "strange"] {
        let text = ApiKeyText::generate(&*world.chance);
        let id = ApiKeyId::generate(world.now(), &*world.chance);
        let key = ApiKey::new(&text, id, world.organization, name.to_owned(), world.now());
        scene.store.create_key(key).await.unwrap();
        hashes.push(text.hash());
    }
    scene.beside.batch_execute("UPDATE api_keys SET scope = 'of a newer version' WHERE name = 'strange'").await.unwrap();
    hashes.push(ApiKeyText::generate(&*world.chance).hash());
    let calls: Vec<_> = hashes.into_iter().map(|hash| call(scene.store.key(hash, world.now()))).collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await);
    }
    assert!(matches!(&answers[..], [Ok(Some(_)), Err(StoreError::Corrupt(_)), Ok(None)]), "{answers:?}");
}
