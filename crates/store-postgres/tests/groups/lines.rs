//! What waits has a limit, and whoever serves it may break off.

use std::time::Duration;

use preclinical_core::{
    port::{Finish, FinishError, Intake, StoreError},
    run::FinalStatus,
};
use preclinical_testkit::places::Places;

use super::{Scene, call, fate};

/// After how long something that should happen has failed to.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much may wait in all lines.
const MOST: usize = 4096;

#[tokio::test]
async fn what_there_is_no_room_for_is_refused_at_once() {
    let Some(scene) = Scene::new().await else { return };
    let (store, run) = (&scene.store, scene.world.run(scene.agent, None).await.id);
    let order = || scene.world.finish_value(run, FinalStatus::Completed, None);
    let mut calls: Vec<_> = (0..MOST).map(|_| call(store.finish_run(order()))).collect();
    let refused = store.finish_run(order()).await;
    assert!(matches!(refused, Err(FinishError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    let first = calls.remove(0);
    drop(calls);
    assert_eq!(fate(&first.await.unwrap()).0, "due");
    let answer = store.finish_run(order()).await;
    assert!(matches!(answer, Err(FinishError::AlreadyFinal(_))), "there is room again: {answer:?}");
}

#[tokio::test]
async fn who_comes_after_somebody_whose_places_break_is_served() {
    let Some(scene) = Scene::new().await else { return };
    let [breaking, beside, next] = scene.orders(3).await.try_into().unwrap();
    let mut breaking: Finish = breaking;
    breaking.dispatch.places = Places::unless([scene.world.lease()], |_| panic!("no answer"));
    let (breaking, beside) = (call(scene.store.finish_run(breaking)), call(scene.store.finish_run(beside)));
    for broken in [breaking.await, beside.await] {
        assert!(matches!(broken, Err(FinishError::Store(StoreError::Unavailable(_)))), "{broken:?}");
    }
    assert!(scene.world.deliveries().await.is_empty());
    let next = tokio::time::timeout(PATIENCE, scene.store.finish_run(next)).await.expect("nobody serves it");
    assert_eq!(fate(&next.unwrap()).0, "claimed");
}
