//! Callers that do not wait for their answers.

use preclinical_core::{
    port::{DeliveryQueue, Intake, Upkeep},
    run::RunRef,
};

use super::{Scene, call, fate};

/// A lease that nobody got to know of is given back: its delivery is due again, and once.
async fn is_due_again(scene: &Scene, claimed: usize) {
    let now = scene.world.now();
    assert!(scene.store.claim_due(now, scene.world.leases(9)).await.unwrap().is_empty(), "it is held");
    assert_eq!(scene.store.beat(now).await.unwrap(), claimed as u64);
    assert_eq!(scene.store.claim_due(now, scene.world.leases(9)).await.unwrap().len(), claimed);
}

#[tokio::test]
async fn who_hangs_up_before_it_is_its_turn_leaves_nothing_behind() {
    let Some(scene) = Scene::new().await else { return };
    let [gone, patient] = scene.orders(2).await.try_into().unwrap();
    let RunRef::Id(run) = gone.run else { panic!("named by number") };
    let (gone, patient) = (call(scene.store.finish_run(gone)), call(scene.store.finish_run(patient)));
    drop(gone);
    assert_eq!(fate(&patient.await.unwrap()).0, "claimed");
    assert!(!scene.world.run_now(run).await.status.is_final());
    is_due_again(&scene, 0).await;
}

#[tokio::test]
async fn who_hangs_up_in_the_middle_of_the_transaction_leaves_a_delivery_that_others_send() {
    let Some(scene) = Scene::new().await else { return };
    let [gone, patient] = scene.orders(2).await.try_into().unwrap();
    let RunRef::Id(run) = gone.run else { panic!("named by number") };
    let holder = scene.hold_runs().await;
    let (gone, patient) = (call(scene.store.finish_run(gone)), call(scene.store.finish_run(patient)));
    scene.until_waiting(1).await;
    drop(gone);
    holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(fate(&patient.await.unwrap()).0, "claimed");
    assert!(scene.world.run_now(run).await.status.is_final());
    is_due_again(&scene, 1).await;
}

#[tokio::test]
async fn who_hangs_up_before_reading_the_answer_leaves_a_delivery_that_others_send() {
    let Some(scene) = Scene::new().await else { return };
    let [gone, patient] = scene.orders(2).await.try_into().unwrap();
    let (gone, patient) = (call(scene.store.finish_run(gone)), call(scene.store.finish_run(patient)));
    assert_eq!(fate(&patient.await.unwrap()).0, "claimed", "and the one before it is answered");
    drop(gone);
    is_due_again(&scene, 1).await;
}
