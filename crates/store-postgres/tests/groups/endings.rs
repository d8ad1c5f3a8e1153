//! Runs that end at once.

use jiff::Timestamp;
use preclinical_core::{
    id::RunId,
    port::{
        Administration, ChangeNumber, Changes, Finish, FinishError, Intake, Report, ReportError, ReportedCounts, StoreError,
    },
    run::{FinalStatus, RunRef, RunStatus},
    scenario::ScenarioStatus,
    webhook::WebhookChanges,
};
use preclinical_testkit::world::{World, result};

use super::{Scene, call, fate};

#[tokio::test]
async fn runs_that_end_at_once_share_a_transaction_and_their_fates_are_those_of_runs_that_end_alone() {
    let Some(scene) = Scene::new().await else { return };
    let (store, world) = (&scene.store, &scene.world);
    let mut agents = vec![scene.agent];
    for (name, is_enabled) in [("Loud", true), ("Quiet", false)] {
        let agent = world.agent(name).await;
        let webhook = world.webhook("https://agent.example.com", Some(agent)).await;
        let changes = WebhookChanges { is_enabled: Some(is_enabled), ..WebhookChanges::default() };
        store.update_webhook(world.organization, webhook, changes, world.now()).await.unwrap();
        agents.push(agent);
    }
    let theirs = World::new(world.store.clone(), "theirs").await;
    let agent_of_theirs = theirs.agent("Theirs").await;
    let order = async |world: &World, agent, to, has_place: bool| {
        let lease = has_place.then(|| world.lease());
        world.finish_value(world.run(agent, None).await.id, to, lease)
    };
    let orders = async || {
        let mut orders = Vec::new();
        for agent in &agents {
            orders.push(order(world, *agent, FinalStatus::Completed, true).await);
            orders.push(order(world, *agent, FinalStatus::Failed, false).await);
        }
        orders.push(order(&theirs, agent_of_theirs, FinalStatus::Canceled, true).await);
        orders
    };
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for order in orders().await {
        alone.push(fate(&store.finish_run(order).await.unwrap()));
    }
    let before = scene.transactions().await;
    let (last, orders) = (store.latest_change(world.organization).await.unwrap(), orders().await);
    let calls: Vec<_> = orders.into_iter().map(|order| call(store.finish_run(order))).collect();
    for call in calls {
        together.push(fate(&call.await.unwrap()));
    }
    assert_eq!(together, alone);
    assert_eq!(scene.transactions().await - before, 2, "one for each organization");
    let changed = store.changed_deliveries(world.organization, last, 100).await.unwrap();
    let written = world.deliveries().await.len();
    assert_eq!(changed.len() * 2, written, "as many as one after the other, and each has a number");
    assert!(last > ChangeNumber(0) && changed.iter().all(|(number, _)| *number > last));
    let differing = "SELECT count(*) FROM (SELECT organization_id, agent_id, status, count(*) AS runs FROM runs GROUP BY 1, 2, 3) AS found \
         FULL JOIN (SELECT organization_id, agent_id, status, sum(runs) AS runs FROM run_counts GROUP BY 1, 2, 3 HAVING sum(runs) <> 0) \
           AS counted USING (organization_id, agent_id, status) WHERE found.runs IS DISTINCT FROM counted.runs";
    assert_eq!(scene.count(differing).await, 0, "runs are counted right");
}

#[tokio::test]
async fn runs_that_cannot_end_keep_no_other_from_it() {
    let Some(scene) = Scene::new().await else { return };
    let (store, world) = (&scene.store, &scene.world);
    let ended = scene.order().await;
    store.finish_run(ended.clone()).await.unwrap();
    let theirs = World::new(world.store.clone(), "theirs").await;
    let their_run = theirs.run(theirs.agent("Theirs").await, None).await.id;
    let orders = scene.orders(7).await;
    let too_many = ReportedCounts { passed: 3, failed: 0, error: 0, total: Some(2) };
    let orders = [
        orders[0].clone(),
        Finish { run: RunRef::Id(RunId::generate(world.now(), &*world.chance)), ..orders[1].clone() },
        Finish { run: RunRef::Id(their_run), ..orders[2].clone() },
        Finish { counts: Some(too_many), ..orders[3].clone() },
        Finish { run: ended.run, ..orders[4].clone() },
        Finish { run: ended.run, ..ended.clone() },
        orders[6].clone(),
    ];
    let calls: Vec<_> = orders.into_iter().map(|order| call(store.finish_run(order))).collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await);
    }
    let [first, unknown, foreign, counted, again, repeated, last] = answers.try_into().unwrap();
    assert_eq!(fate(&first.unwrap()).0, "claimed");
    assert!(matches!(unknown, Err(FinishError::RunNotFound)), "{unknown:?}");
    assert!(matches!(foreign, Err(FinishError::RunNotFound)), "{foreign:?}");
    assert!(matches!(counted, Err(FinishError::CountsExceedTotal { judged: 3, total: 2 })), "{counted:?}");
    assert!(matches!(again, Err(FinishError::AlreadyFinal(RunStatus::Completed))), "{again:?}");
    assert_eq!(fate(&repeated.unwrap()).0, "not final");
    assert_eq!(fate(&last.unwrap()).0, "claimed");
    assert_eq!(scene.transactions().await, 2, "one for the group");
    assert_eq!(world.deliveries().await.len(), 3);
}

#[tokio::test]
async fn a_run_that_the_server_refuses_takes_no_other_along() {
    let Some(scene) = Scene::new().await else { return };
    let mut orders = scene.orders(5).await;
    // Earlier than the server can count.
    orders[2].at = Timestamp::MIN;
    let runs: Vec<_> = orders.iter().map(|order| order.run).collect();
    let calls: Vec<_> = orders.into_iter().map(|order| call(scene.store.finish_run(order))).collect();
    for (index, call) in calls.into_iter().enumerate() {
        let (answer, RunRef::Id(run)) = (call.await, runs[index]) else { panic!("named by number") };
        let is_final = scene.world.run_now(run).await.status.is_final();
        if index == 2 {
            assert!(matches!(answer, Err(FinishError::Store(StoreError::Corrupt(_)))), "{answer:?}");
            assert!(!is_final);
        } else {
            assert_eq!((fate(&answer.unwrap()).0, is_final), ("claimed", true));
        }
    }
    assert_eq!(scene.world.deliveries().await.len(), 4);
}

#[tokio::test]
async fn of_those_that_end_the_same_run_at_once_one_does_and_the_others_learn_of_it() {
    let Some(scene) = Scene::new().await else { return };
    let world = &scene.world;
    let run = world.run(scene.agent, None).await;
    let first = world.finish_value(run.id, FinalStatus::Completed, Some(world.lease()));
    let late =
        Finish { run: RunRef::Number(run.number), ..world.finish_value(run.id, FinalStatus::Failed, Some(world.lease())) };
    let repeated = Finish { run: RunRef::Number(run.number), ..first.clone() };
    let orders = [first.clone(), late, scene.order().await, repeated];
    let calls: Vec<_> = orders.into_iter().map(|order| call(scene.store.finish_run(order))).collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await);
    }
    let [first, late, other, repeated] = answers.try_into().unwrap();
    assert_eq!(fate(&first.unwrap()).0, "claimed");
    assert!(matches!(late, Err(FinishError::AlreadyFinal(RunStatus::Completed))), "{late:?}");
    assert_eq!(fate(&other.unwrap()).0, "claimed");
    let repeated = repeated.unwrap();
    assert_eq!((fate(&repeated).0, repeated.run.id, repeated.run.status), ("not final", run.id, RunStatus::Completed));
    assert_eq!(scene.count("SELECT count(*) FROM events").await, 2);
    assert_eq!(scene.transactions().await, 1, "who is late undoes nothing");
    assert_eq!(world.deliveries().await.len(), 2);
}

#[tokio::test]
async fn a_run_that_is_ended_and_reported_to_its_end_at_once_ends_once() {
    let Some(scene) = Scene::new().await else { return };
    let (store, world) = (&scene.store, &scene.world);
    for is_reported_first in [true, false] {
        let run = world.run(scene.agent, Some(1)).await.id;
        let (organization_id, at, dispatch) = (world.organization, world.now(), world.dispatch(None));
        let results = vec![result("1", ScenarioStatus::Passed)];
        let report = Report { organization_id, run: RunRef::Id(run), results, at, dispatch };
        let finished = store.finish_run(world.finish_value(run, FinalStatus::Failed, None));
        let reported = store.report_results(report);
        let holder = scene.hold_runs().await;
        // Who waits first is first.
        let finished = async {
            scene.until_waiting(i64::from(is_reported_first)).await;
            finished.await
        };
        let reported = async {
            scene.until_waiting(i64::from(!is_reported_first)).await;
            reported.await
        };
        let release = async {
            scene.until_waiting(2).await;
            holder.batch_execute("COMMIT").await.unwrap();
        };
        let (finished, reported, ()) = tokio::join!(finished, reported, release);
        if is_reported_first {
            assert!(matches!(finished, Err(FinishError::AlreadyFinal(RunStatus::Completed))), "{finished:?}");
            assert_eq!(fate(&reported.unwrap()).0, "due");
        } else {
            assert_eq!(fate(&finished.unwrap()).0, "due");
            assert!(matches!(reported, Err(ReportError::AlreadyFinal(RunStatus::Failed))), "{reported:?}");
        }
    }
    assert_eq!(scene.count("SELECT count(*) FROM events").await, 2);
}

#[tokio::test]
async fn nobody_is_alone_with_an_organization_while_a_run_of_it_ends() {
    let Some(scene) = Scene::new().await else { return };
    let order = scene.order().await;
    // By the random end of its id, as whoever changes settings asks for it.
    let could_be_alone = "SELECT pg_try_advisory_xact_lock(('x' || right(replace(id::text, '-', ''), 16))::bit(64)::bigint)::int::bigint \
         FROM organizations";
    let (holder, store) = (scene.hold_runs().await, scene.store.clone());
    let ending = tokio::spawn(async move { store.finish_run(order).await });
    scene.until_waiting(1).await;
    assert_eq!(scene.count(could_be_alone).await, 0);
    holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(fate(&ending.await.unwrap().unwrap()).0, "claimed");
    assert_eq!(scene.count(could_be_alone).await, 1);
}
