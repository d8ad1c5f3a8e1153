//! Commits that fail, and commits whose answers are lost.

use std::sync::Arc;

use preclinical_core::{
    delivery::DeliveryStatus,
    port::{DeliveryQueue, Finish, FinishError, Intake, RecordError, StoreError, Upkeep},
    retry::NextStep,
    run::RunRef,
};
use preclinical_testkit::world::{World, answered};

use super::{Scene, call, fate, open, wire::Wire};

/// Has the commit of whoever writes such rows fail.
async fn break_commits(scene: &Scene, table: &str, rows: &str, how: &str) {
    let sql = format!(
        "CREATE FUNCTION break_commit() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN {how}; RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER break_commit AFTER INSERT OR UPDATE ON {table} DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW WHEN ({rows}) EXECUTE FUNCTION break_commit()"
    );
    scene.beside.batch_execute(&sql).await.unwrap();
}

async fn mend_commits(scene: &Scene) {
    scene.beside.batch_execute("DROP FUNCTION break_commit() CASCADE").await.unwrap();
}

/// The session of the commit ends in the middle of it.
const DIE: &str = "PERFORM pg_terminate_backend(pg_backend_pid())";

async fn all(scene: &Scene, orders: &[Finish]) -> Vec<Result<preclinical_core::port::Finished, FinishError>> {
    let calls: Vec<_> = orders.iter().map(|order| call(scene.store.finish_run(order.clone()))).collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await);
    }
    answers
}

#[tokio::test]
async fn a_run_that_the_commit_refuses_takes_no_other_along() {
    let Some(scene) = Scene::new().await else { return };
    let orders = scene.orders(4).await;
    let RunRef::Id(run) = orders[1].run else { panic!("named by number") };
    let rows = format!("NEW.run_id = '{}'", run.uuid());
    break_commits(&scene, "events", &rows, "RAISE integrity_constraint_violation").await;
    let answers = all(&scene, &orders).await;
    assert!(matches!(answers[1], Err(FinishError::Store(StoreError::Corrupt(_)))), "{answers:?}");
    assert_eq!(answers.iter().flatten().map(|one| fate(one).0).collect::<Vec<_>>(), ["claimed"; 3]);
    assert_eq!(scene.count("SELECT count(*) FROM events").await, 3);
    assert!(!scene.world.run_now(run).await.status.is_final());
    assert_eq!(scene.store.beat(scene.world.now()).await.unwrap(), 0, "what is kept is not in doubt");
}

#[tokio::test]
async fn nobody_is_told_that_it_was_kept_when_the_commit_fails_and_all_can_be_repeated() {
    for how in ["RAISE 'not now'", DIE] {
        let Some(scene) = Scene::new().await else { return };
        let orders = scene.orders(4).await;
        break_commits(&scene, "events", "true", how).await;
        for answer in all(&scene, &orders).await {
            assert!(matches!(answer, Err(FinishError::Store(StoreError::Unavailable(_)))), "{how}: {answer:?}");
        }
        assert_eq!(scene.count("SELECT count(*) FROM events").await, 0, "{how}");
        assert!(scene.world.deliveries().await.is_empty(), "{how}");
        mend_commits(&scene).await;
        assert_eq!(scene.store.beat(scene.world.now()).await.unwrap(), 0, "{how}: nothing was taken");
        let again = all(&scene, &orders).await;
        assert_eq!(again.iter().flatten().map(|one| fate(one).0).collect::<Vec<_>>(), ["claimed"; 4], "{how}");
        assert_eq!(scene.transactions().await, 1);
    }
}

#[tokio::test]
async fn records_whose_commit_fails_are_not_kept_and_can_be_written_again() {
    let Some(scene) = Scene::new().await else { return };
    let world = &scene.world;
    let claims = [world.claimed(scene.agent).await, world.claimed(scene.agent).await];
    let record = async || {
        let records = claims.each_ref().map(|claimed| world.record(claimed, answered(200), NextStep::Delivered));
        let [first, second] = records.map(|record| call(scene.store.record(record)));
        [first.await, second.await]
    };
    break_commits(&scene, "webhook_health", "true", DIE).await;
    for answer in record().await {
        assert!(matches!(answer, Err(RecordError::Store(StoreError::Unavailable(_)))), "{answer:?}");
    }
    let statuses = async || world.deliveries().await.into_iter().map(|delivery| delivery.status).collect::<Vec<_>>();
    assert_eq!(statuses().await, [DeliveryStatus::Pending; 2]);
    mend_commits(&scene).await;
    assert!(record().await.iter().all(Result::is_ok));
    assert_eq!(statuses().await, [DeliveryStatus::Delivered; 2]);
}

#[tokio::test]
async fn runs_whose_commit_was_kept_without_an_answer_are_found_ended_and_their_deliveries_are_sent() {
    let Some(mut scene) = Scene::new().await else { return };
    let wire = Wire::to(&scene.database.url).await;
    scene.store = open(&wire.url).await;
    scene.store.beat(scene.world.now()).await.unwrap();
    scene.world = World { store: Arc::new(scene.store.clone()), ..scene.world };
    let orders = scene.orders(3).await;
    wire.cut_after_commit();
    for answer in all(&scene, &orders).await {
        assert!(matches!(answer, Err(FinishError::Store(StoreError::Unavailable(_)))), "{answer:?}");
    }
    assert!(wire.was_cut());
    assert_eq!(scene.count("SELECT count(*) FROM events").await, 3, "kept all the same");
    let again = all(&scene, &orders).await;
    assert_eq!(again.iter().flatten().map(|one| fate(one).0).collect::<Vec<_>>(), ["not final"; 3]);
    assert_eq!(scene.count("SELECT count(*) FROM events").await, 3);
    let now = scene.world.now();
    assert!(scene.store.claim_due(now, scene.world.leases(9)).await.unwrap().is_empty());
    assert_eq!(scene.store.beat(now).await.unwrap(), 3, "nobody knew of these leases");
    assert_eq!(scene.store.claim_due(now, scene.world.leases(9)).await.unwrap().len(), 3);
}
