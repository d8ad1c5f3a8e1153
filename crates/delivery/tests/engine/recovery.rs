//! Receivers that fail and come back, and what they missed.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use jiff::SignedDuration;
use preclinical_core::{
    id::{AgentId, DeliveryId},
    port::StoreError,
    replay_on_recovery::ReplayOnRecovery,
    webhook::WebhookChanges,
};
use preclinical_delivery::Redeliverer;
use preclinical_testkit::{
    interception::intercepted,
    receiver::{Reaction, Receiver},
};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::rig::{PATIENCE, Rig};

async fn wishes(rig: &Rig, wish: ReplayOnRecovery) {
    let changes = WebhookChanges { replay_on_recovery: Some(wish), ..WebhookChanges::default() };
    rig.world.store.update_webhook(rig.world.organization, rig.webhook, changes, rig.world.now()).await.unwrap();
}

/// The receiver is down while a run of each of these agents ends; answers the deliveries that failed for good.
async fn miss(rig: &Rig, agents: &[AgentId]) -> Vec<DeliveryId> {
    let down = Receiver::start(vec![Reaction::status(503); agents.len() * 2]).await;
    rig.point_to(&down.url()).await;
    let mut missed = Vec::new();
    for agent in agents {
        let run = rig.world.run(*agent, None).await;
        rig.world.complete(run.id, None).await.unwrap();
        missed.push(rig.world.deliveries().await[0].id);
        for _ in 0..2 {
            rig.tick().await;
            rig.world.clock.turn(SignedDuration::from_secs(2));
        }
    }
    assert_eq!(down.waiting().await, agents.len() * 2);
    missed
}

/// What was repeated so far, in the order of the repetitions.
async fn repeated(rig: &Rig) -> Vec<DeliveryId> {
    let mut deliveries = rig.world.deliveries().await;
    deliveries.sort_unstable_by_key(|delivery| delivery.id);
    deliveries.into_iter().filter_map(|delivery| delivery.redelivery_of).collect()
}

fn loops(rig: &Rig) -> [JoinHandle<()>; 2] {
    [tokio::spawn(rig.engine.clone().run()), tokio::spawn(Redeliverer::new(&rig.engine).run())]
}

async fn end(rig: &Rig, loops: [JoinHandle<()>; 2]) {
    assert!(rig.engine.close(PATIENCE).await);
    for ended in loops {
        tokio::time::timeout(PATIENCE, ended).await.expect("the loop goes on").unwrap();
    }
}

/// The same rig, which tells of each time that somebody asks whom a replay is owed.
fn asked(rig: Rig) -> (Rig, mpsc::UnboundedReceiver<()>) {
    let (asks, heard) = mpsc::unbounded_channel();
    let tell = move |method| {
        if method == "replay_recovered" {
            let _ = asks.send(());
        }
        Ok(())
    };
    (rig.behind(|store| intercepted(store, tell)), heard)
}

/// Waits until somebody asks.
async fn hears(asks: &mut mpsc::UnboundedReceiver<()>) {
    tokio::time::timeout(PATIENCE * 10, asks.recv()).await.expect("nobody asks").unwrap();
}

#[tokio::test]
async fn a_receiver_that_comes_back_gets_everything_that_it_missed_and_the_next_time_only_what_is_new() {
    let (rig, receiver) = (Rig::new().await.with_schedule("1s"), Receiver::start([]).await);
    wishes(&rig, ReplayOnRecovery::All).await;
    let (mut rig, mut expected) = (rig, Vec::new());
    for times in [3, 1] {
        expected.extend(miss(&rig, &vec![rig.agent; times]).await);
        rig.point_to(&receiver.url()).await;
        let (listening, mut heard) = asked(rig);
        rig = listening;
        let running = loops(&rig);
        hears(&mut heard).await;
        // The first that it takes is a run that ends now.
        rig.deliver().await;
        for _ in 0..=times {
            receiver.next().await;
        }
        end(&rig, running).await;
        assert_eq!(repeated(&rig).await, expected, "oldest first, and each once");
        rig.world.clock.turn(SignedDuration::from_secs(1));
        rig = rig.restarted();
    }
    assert_eq!(receiver.waiting().await, 0);
}

#[tokio::test]
async fn a_receiver_that_comes_back_gets_the_newest_run_of_each_agent_if_that_is_the_wish() {
    let (rig, receiver) = (Rig::new().await.with_schedule("1s"), Receiver::start([]).await);
    wishes(&rig, ReplayOnRecovery::NewestPerAgent).await;
    let (other, third) = (rig.world.agent("Nurse").await, rig.world.agent("Triage").await);
    let missed = miss(&rig, &[other, rig.agent, third, other, third]).await;
    rig.point_to(&receiver.url()).await;
    let (rig, mut heard) = asked(rig);
    let running = loops(&rig);
    hears(&mut heard).await;
    rig.deliver().await;
    for _ in 0..3 {
        receiver.next().await;
    }
    end(&rig, running).await;
    assert_eq!(repeated(&rig).await, missed[3..], "of the first agent a newer run was just delivered");
    assert_eq!(receiver.waiting().await, 0);
}

#[tokio::test]
async fn a_receiver_that_comes_back_gets_nothing_by_itself_if_nobody_wishes_for_it() {
    let (rig, receiver) = (Rig::new().await.with_schedule("1s"), Receiver::start([]).await);
    miss(&rig, &[rig.agent, rig.agent]).await;
    rig.point_to(&receiver.url()).await;
    let (rig, mut heard) = asked(rig);
    let running = loops(&rig);
    hears(&mut heard).await;
    rig.deliver().await;
    // It has recovered, which is asked for once.
    hears(&mut heard).await;
    end(&rig, running).await;
    assert_eq!((repeated(&rig).await.len(), receiver.waiting().await), (0, 1));
}

#[tokio::test]
async fn what_is_owed_when_a_process_dies_is_replayed_by_the_next_one() {
    let (rig, receiver) = (Rig::new().await.with_schedule("1s"), Receiver::start([]).await);
    wishes(&rig, ReplayOnRecovery::All).await;
    let missed = miss(&rig, &[rig.agent, rig.agent]).await;
    rig.point_to(&receiver.url()).await;
    // Nobody was there to hear of it.
    rig.deliver().await;
    receiver.next().await;
    let rig = rig.restarted();
    let running = loops(&rig);
    for _ in 0..2 {
        receiver.next().await;
    }
    end(&rig, running).await;
    assert_eq!(repeated(&rig).await, missed);
}

#[tokio::test(start_paused = true)]
async fn whom_a_replay_is_owed_is_asked_from_time_to_time_although_nobody_tells() {
    let (calls, mut heard) = mpsc::unbounded_channel();
    let tell = move |method| {
        let _ = calls.send(method);
        Ok(())
    };
    let rig = Rig::new().await.behind(|store| intercepted(store, tell));
    let running = tokio::spawn(Redeliverer::new(&rig.engine).run());
    let (mut looks, mut asks) = (0, 0);
    while looks < 5 {
        match heard.recv().await.unwrap() {
            "running_redelivery_jobs" => looks += 1,
            "replay_recovered" => asks += 1,
            _ => {}
        }
    }
    assert_eq!(asks, looks, "each look comes half a minute after the last");
    rig.engine.close(PATIENCE).await;
    running.await.unwrap();
}

#[tokio::test]
async fn a_store_that_cannot_say_whom_a_replay_is_owed_is_asked_again_and_other_jobs_go_on() {
    let (rig, receiver) = (Rig::new().await.with_schedule("1s"), Receiver::start([]).await);
    wishes(&rig, ReplayOnRecovery::All).await;
    let missed = miss(&rig, &[rig.agent]).await;
    rig.point_to(&receiver.url()).await;
    rig.deliver().await;
    receiver.next().await;
    let (fails, (went_on, mut heard)) = (Arc::new(AtomicBool::new(true)), mpsc::unbounded_channel());
    let rig = rig.behind(|store| {
        intercepted(store, move |method| match method {
            "replay_recovered" if fails.swap(false, Ordering::SeqCst) => {
                Err(StoreError::Unavailable("the script says so".into()))
            }
            _ => {
                let _ = went_on.send(method);
                Ok(())
            }
        })
    });
    let redeliverer = Redeliverer::new(&rig.engine);
    let running = [tokio::spawn(rig.engine.clone().run()), tokio::spawn(redeliverer.run())];
    while heard.recv().await.unwrap() != "running_redelivery_jobs" {}
    receiver.next().await;
    end(&rig, running).await;
    assert_eq!(repeated(&rig).await, missed);
}
