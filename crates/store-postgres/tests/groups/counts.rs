//! How many runs there are in each state, counted by many at once.

use std::collections::HashMap;

use preclinical_core::{id::RunId, port::Intake};

use super::{Scene, connect};

/// Sessions that share a slot of the counts, as two of several nodes do: of so many, two must.
const SESSIONS: usize = 65;

#[tokio::test]
async fn a_run_that_begins_and_ends_in_one_transaction_is_in_no_circle_with_one_that_ends() {
    let Some(scene) = Scene::new().await else { return };
    let world = &scene.world;
    let (ending, new) = (world.run(scene.agent, None).await.id, world.run_value(scene.agent, None));
    let waiting = preclinical_core::port::NewRun { started_at: None, ..new };
    let waiting = scene.store.create_run(waiting).await.unwrap().id;
    let (mut sessions, mut pair) = (HashMap::new(), None);
    for _ in 0..SESSIONS {
        let session = connect(&scene.database.url).await;
        let slot: i32 = session.query_one("SELECT pg_backend_pid() % 64", &[]).await.unwrap().get(0);
        if let Some(other) = sessions.remove(&slot) {
            pair = Some((session, other));
            break;
        }
        sessions.insert(slot, session);
    }
    let (both, one) = pair.unwrap();
    let turns = |run: RunId, status| format!("UPDATE runs SET status = '{status}' WHERE id = '{}'", run.uuid());
    both.batch_execute(&format!("BEGIN; {}", turns(waiting, "running"))).await.unwrap();
    let ends = turns(ending, "completed");
    let ended = async { one.batch_execute(&ends).await };
    let goes_on = async {
        scene.until_waiting(1).await;
        both.batch_execute(&format!("{}; COMMIT", turns(waiting, "completed"))).await
    };
    let (ended, gone_on) = tokio::join!(ended, goes_on);
    assert!(ended.is_ok() && gone_on.is_ok(), "{ended:?} {gone_on:?}");
    assert_eq!(scene.count("SELECT sum(runs)::bigint FROM run_counts WHERE status = 'completed'").await, 2);
}
