//! Rules of [`preclinical_core::port::Intake`].
#![allow(missing_docs, reason = "the names are the rules")]

use std::{collections::BTreeSet, sync::Arc};

use jiff::SignedDuration;
use preclinical_core::{
    delivery::DeliveryStatus,
    port::{CreateRunError, Fate, Finish, FinishError, NewRun, ReportError, ReportedCounts, Store},
    run::{FinalStatus, RunRef, RunStatus},
    scenario::{
        MAX_SCENARIOS,
        ScenarioStatus::{Canceled, Error, Failed, Passed},
    },
    tally::Tally,
    version::Expected,
    webhook::WebhookChanges,
};

use crate::world::{World, result};

pub async fn numbers_have_no_gaps_however_many_calls_race(store: Arc<dyn Store>) {
    for slug in ["ours", "theirs"] {
        let world = World::new(store.clone(), slug).await;
        let agent = world.agent("Assistant").await;
        let calls: Vec<_> = (0..200)
            .map(|index| {
                let mut run = world.run_value(agent, None);
                if index % 10 == 0 {
                    // Refused calls must not use a number up.
                    run.agent_id = preclinical_core::id::AgentId::generate(world.now(), &*world.chance);
                }
                let store = store.clone();
                tokio::spawn(async move { store.create_run(run).await.map(|run| run.number.0) })
            })
            .collect();
        let mut numbers = BTreeSet::new();
        for call in calls {
            match call.await.unwrap() {
                Ok(number) => assert!(numbers.insert(number)),
                Err(error) => assert!(matches!(error, CreateRunError::AgentNotFound)),
            }
        }
        assert_eq!(numbers, (1..=180).collect());
    }
}

pub async fn a_run_needs_an_agent_of_its_organization(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let run = ours.run_value(theirs.agent("Assistant").await, None);
    assert!(matches!(store.create_run(run).await, Err(CreateRunError::AgentNotFound)));
}

pub async fn results_are_counted_and_a_repetition_changes_nothing(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let run = world.run(world.agent("Assistant").await, None).await.id;
    let report = vec![result("a", Passed), result("b", Failed), result("c", Error), result("d", Canceled)];
    for _ in 0..2 {
        let finished = world.report(run, report.clone()).await.unwrap();
        assert_eq!(finished.run.tally, Tally { passed: 1, failed: 1, error: 1, total: 4 });
        assert!(matches!(finished.fate, Fate::NotFinal));
    }
    let (_, results) = store.results(world.organization, RunRef::Id(run)).await.unwrap().unwrap();
    assert_eq!(results, report);
}

pub async fn a_report_is_taken_as_a_whole_or_not_at_all(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let run = world.run(world.agent("Assistant").await, Some(3)).await.id;
    world.report(run, vec![result("a", Passed)]).await.unwrap();
    let conflicting = world.report(run, vec![result("b", Passed), result("a", Failed)]).await;
    assert!(matches!(conflicting, Err(ReportError::Conflicting { index: 1 })), "{conflicting:?}");
    let too_many = world.report(run, ["b", "c", "d"].map(|id| result(id, Passed)).to_vec()).await;
    assert!(matches!(too_many, Err(ReportError::TooMany { most: 3 })), "{too_many:?}");
    let (run, results) = store.results(world.organization, RunRef::Id(run)).await.unwrap().unwrap();
    assert_eq!((results.len(), run.tally.passed, run.status), (1, 1, RunStatus::Running));
}

pub async fn an_open_run_takes_so_many_results_and_no_more(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let run = world.run(world.agent("Assistant").await, None).await.id;
    let results = (0..=MAX_SCENARIOS).map(|index| result(&index.to_string(), Passed)).collect();
    let too_many = world.report(run, results).await;
    assert!(matches!(too_many, Err(ReportError::TooMany { most: MAX_SCENARIOS })), "{too_many:?}");
    assert_eq!(world.run_now(run).await.tally.total, 0);
}

pub async fn the_last_planned_result_completes_the_run_and_writes_its_delivery(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let run = world.run(agent, Some(2)).await.id;
    assert!(matches!(world.report(run, vec![result("a", Passed)]).await.unwrap().fate, Fate::NotFinal));
    world.clock.turn(SignedDuration::from_secs(165));
    let finished = world.report(run, vec![result("b", Failed)]).await.unwrap();
    assert!(matches!(finished.fate, Fate::Due));
    assert_eq!((finished.run.status, finished.run.duration_seconds()), (RunStatus::Completed, 165));
    let deliveries = world.deliveries().await;
    assert_eq!(deliveries.len(), 1);
    assert_eq!((deliveries[0].run_id, deliveries[0].status), (Some(run), DeliveryStatus::Pending));
}

pub async fn a_final_run_takes_no_other_results(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let run = world.run(world.agent("Assistant").await, None).await.id;
    world.report(run, vec![result("a", Passed)]).await.unwrap();
    world.complete(run, None).await.unwrap();
    let before = world.run_now(run).await;
    let refused = world.report(run, vec![result("b", Passed)]).await;
    assert!(matches!(refused, Err(ReportError::AlreadyFinal(RunStatus::Completed))), "{refused:?}");
    assert!(matches!(world.report(run, vec![result("a", Passed)]).await.unwrap().fate, Fate::NotFinal));
    assert_eq!(world.run_now(run).await, before);
}

pub async fn of_64_racing_endings_one_wins_and_one_delivery_is_written(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let run = world.run(agent, None).await.id;
    let calls: Vec<_> = (0..64)
        .map(|index| {
            let to = if index % 2 == 0 { FinalStatus::Completed } else { FinalStatus::Canceled };
            let lease = (index % 3 == 0).then(|| world.lease());
            let (store, finish) = (store.clone(), world.finish_value(run, to, lease));
            tokio::spawn(async move { store.finish_run(finish).await })
        })
        .collect();
    let (mut won, mut lost) = (Vec::new(), Vec::new());
    for call in calls {
        match call.await.unwrap() {
            Ok(finished) => won.push(finished.run.status),
            Err(FinishError::AlreadyFinal(status)) => lost.push(status),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((won.len(), lost.len()), (1, 63));
    assert!(lost.iter().all(|status| *status == won[0]));
    assert_eq!(world.run_now(run).await.status, won[0]);
    assert_eq!(world.deliveries().await.len(), 1);
}

pub async fn racing_last_results_complete_a_run_once(store: Arc<dyn Store>) {
    let world = Arc::new(World::new(store.clone(), "default").await);
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let run = world.run(agent, Some(32)).await.id;
    let calls: Vec<_> = (0..64)
        .map(|index| {
            let world = world.clone();
            // Every result is reported twice.
            tokio::spawn(async move { world.report(run, vec![result(&(index % 32).to_string(), Passed)]).await })
        })
        .collect();
    let mut completed = 0;
    for call in calls {
        completed += u32::from(matches!(call.await.unwrap().unwrap().fate, Fate::Due));
    }
    assert_eq!(completed, 1);
    assert_eq!(world.run_now(run).await.tally, Tally { passed: 32, failed: 0, error: 0, total: 32 });
    assert_eq!(world.deliveries().await.len(), 1);
}

pub async fn a_runners_counts_are_taken_only_without_results(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let finish = |run, counts| Finish { counts: Some(counts), ..world.finish_value(run, FinalStatus::Completed, None) };
    let counts = ReportedCounts { passed: 17, failed: 3, error: 0, total: None };

    let counted = world.run(agent, None).await.id;
    let run = store.finish_run(finish(counted, counts)).await.unwrap().run;
    assert_eq!(run.tally, Tally { passed: 17, failed: 3, error: 0, total: 20 });

    let too_few = world.run(agent, None).await.id;
    let refused = store.finish_run(finish(too_few, ReportedCounts { total: Some(19), ..counts })).await;
    assert!(matches!(refused, Err(FinishError::CountsExceedTotal { judged: 20, total: 19 })), "{refused:?}");

    let with_results = world.run(agent, None).await.id;
    world.report(with_results, vec![result("a", Passed)]).await.unwrap();
    let refused = store.finish_run(finish(with_results, counts)).await;
    assert!(matches!(refused, Err(FinishError::CountsNotWanted)), "{refused:?}");
    for untouched in [too_few, with_results] {
        assert_eq!(world.run_now(untouched).await.status, RunStatus::Running);
    }
}

pub async fn a_run_that_never_started_has_no_start(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let run = store.create_run(NewRun { started_at: None, ..world.run_value(agent, None) }).await.unwrap();
    assert_eq!(run.status, RunStatus::Pending);
    world.clock.turn(SignedDuration::from_mins(5));
    let canceled = store.finish_run(world.finish_value(run.id, FinalStatus::Canceled, None)).await.unwrap().run;
    assert_eq!((canceled.status, canceled.started_at, canceled.duration_seconds()), (RunStatus::Canceled, None, 0));

    let pending = store.create_run(NewRun { started_at: None, ..world.run_value(agent, None) }).await.unwrap();
    let started = world.report(pending.id, vec![result("a", Passed)]).await.unwrap().run;
    assert_eq!((started.status, started.started_at), (RunStatus::Running, Some(world.now())));
}

pub async fn the_webhook_in_force_is_chosen_when_the_run_ends(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let ended = async || {
        let run = world.run(agent, None).await;
        match world.complete(run.id, Some(world.lease())).await.unwrap().fate {
            Fate::Claimed(claimed) => Some(claimed.webhook_id),
            Fate::NoWebhook => None,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ended().await, None);
    let default = world.webhook("https://example.com/default", None).await;
    assert_eq!(ended().await, Some(default));
    let own = world.webhook("https://example.com/own", Some(agent)).await;
    assert_eq!(ended().await, Some(own));
    let off = WebhookChanges { is_enabled: Some(false), ..WebhookChanges::default() };
    store.update_webhook(world.organization, own, off, world.now()).await.unwrap();
    assert_eq!(ended().await, None, "a disabled webhook mutes its agent");
    store.delete_webhook(world.organization, own, Expected::Any, world.now()).await.unwrap();
    assert_eq!(ended().await, Some(default));
}

pub async fn an_ending_with_a_lease_comes_back_claimed_with_its_attempt_started(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let claimed = world.claimed(agent).await;
    assert_eq!((claimed.webhook_id, claimed.attempt, claimed.failures), (webhook, 1, 0));
    assert!(store.claim_due(world.now(), world.leases(10)).await.unwrap().is_empty(), "its lease protects it");
    let (_, attempts) = store.delivery(world.organization, claimed.delivery_id).await.unwrap().unwrap();
    assert_eq!((attempts.len(), attempts[0].started_at, attempts[0].duration_ms), (1, world.now(), None));
}
