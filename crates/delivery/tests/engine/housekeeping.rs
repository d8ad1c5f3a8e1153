//! What is held for a time only.

use std::sync::Arc;

use jiff::SignedDuration;
use preclinical_core::{
    id::LeaseToken,
    idempotency::{Begun, CallId, Fingerprint, NewCall, REMEMBERED},
    port::Store,
    retry::NextStep,
};
use preclinical_delivery::Housekeeping;
use preclinical_store_sqlite::SqliteStore;
use preclinical_testkit::world::{World, answered, vault};

#[tokio::test]
async fn calls_are_forgotten_a_day_after_they_began_batch_by_batch() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open_exclusively(&folder.path().join("test.db"), vault()).unwrap());
    let world = World::new(store.clone(), "default").await;
    let call = |key: usize| NewCall {
        id: CallId::of(world.organization, "POST", "/runs", &key.to_string()),
        organization_id: world.organization,
        fingerprint: Fingerprint::of(b"{}"),
        token: LeaseToken::generate(world.now(), &*world.chance),
        subject: LeaseToken::generate(world.now(), &*world.chance).uuid(),
        at: world.now(),
        until: world.now(),
    };
    for key in 0..501 {
        store.begin_call(call(key)).await.unwrap();
    }
    world.clock.turn(SignedDuration::from_micros(1));
    store.begin_call(call(501)).await.unwrap();

    let housekeeping = Housekeeping::new(store.clone(), world.clock.clone(), None);
    assert!(!housekeeping.tick().await.unwrap());
    world.clock.turn(REMEMBERED);
    let more = [housekeeping.tick().await.unwrap(), housekeeping.tick().await.unwrap()];
    assert_eq!(more, [true, false]);
    assert_eq!(store.forget_calls(world.now(), 1000).await.unwrap(), 1, "the last one had not had its time");
    assert!(matches!(store.begin_call(call(501)).await.unwrap(), Begun::CarryOut { .. }));
}

#[tokio::test]
async fn deliveries_are_forgotten_that_long_after_their_end_batch_by_batch() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open_exclusively(&folder.path().join("test.db"), vault()).unwrap());
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let end = async || {
        let claimed = world.claimed(agent).await;
        store.record(world.record(&claimed, answered(200), NextStep::Delivered)).await.unwrap();
    };
    for _ in 0..101 {
        end().await;
    }
    world.clock.turn(SignedDuration::from_micros(1));
    end().await;
    let pending = world.claimed(agent).await;

    let month = SignedDuration::from_hours(30 * 24);
    let (housekeeping, keeping) =
        [Some(month), None].map(|keep| Housekeeping::new(store.clone(), world.clock.clone(), keep)).into();
    world.clock.turn(month);
    assert!(!keeping.tick().await.unwrap());
    let more = [housekeeping.tick().await.unwrap(), housekeeping.tick().await.unwrap()];
    assert_eq!((more, world.deliveries().await.len()), ([true, false], 2));
    world.clock.turn(month);
    assert!(!housekeeping.tick().await.unwrap());
    let left: Vec<_> = world.deliveries().await.iter().map(|delivery| delivery.id).collect();
    assert_eq!(left, [pending.delivery_id], "what is pending stays");
}
