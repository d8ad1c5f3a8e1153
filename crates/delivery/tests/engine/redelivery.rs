//! Bulk redeliveries, from their rows to a receiver.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use jiff::SignedDuration;
use preclinical_core::{
    delivery::DeliveryStatus,
    id::{DeliveryId, RedeliveryJobId},
    port::{NewRedeliveryJob, StoreError},
    redelivery::{JobStatus, MAX_PENDING_OF_JOB, RedeliveryJob, RedeliverySelection, Repeated, RepeatedStatus},
    retry::NextStep,
};
use preclinical_delivery::{Redeliverer, Round};
use preclinical_testkit::{
    interception::intercepted,
    receiver::{Gate, Reaction, Receiver, answer_bytes},
    world::answered,
};
use tokio::sync::mpsc;

use crate::rig::{PATIENCE, Rig};

const MOST: usize = MAX_PENDING_OF_JOB as usize;

/// Deliveries that failed, oldest first.
async fn failed(rig: &Rig, count: usize) -> Vec<DeliveryId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let claimed = rig.world.claimed(rig.agent).await;
        rig.world.store.record(rig.world.record(&claimed, answered(500), NextStep::Exhausted)).await.unwrap();
        ids.push(claimed.delivery_id);
        rig.world.clock.turn(SignedDuration::from_secs(1));
    }
    ids
}

/// Orders the repetition of all that failed.
async fn order(rig: &Rig) -> RedeliveryJobId {
    let (webhook_id, agent_id, run_id, created_after, created_before) = (None, None, None, None, None);
    let status = RepeatedStatus::Failed;
    let ended = Repeated::As(status);
    let selection = RedeliverySelection { ended, webhook_id, agent_id, run_id, created_after, created_before };
    let (id, at) = (RedeliveryJobId::generate(rig.world.now(), &*rig.world.chance), rig.world.now());
    let job = NewRedeliveryJob { id, organization_id: rig.world.organization, selection, at };
    rig.world.store.create_redelivery_job(job).await.unwrap();
    rig.world.clock.turn(SignedDuration::from_secs(1));
    id
}

async fn job(rig: &Rig, id: RedeliveryJobId) -> RedeliveryJob {
    rig.world.store.redelivery_job(rig.world.organization, id).await.unwrap().unwrap()
}

/// How many deliveries repeat an original, and that no original is repeated twice.
async fn repetitions(rig: &Rig) -> usize {
    let mut originals: Vec<_> =
        rig.world.deliveries().await.into_iter().filter_map(|delivery| delivery.redelivery_of).collect();
    let all = originals.len();
    originals.sort_unstable();
    originals.dedup();
    assert_eq!(originals.len(), all);
    all
}

#[tokio::test]
async fn a_recovered_receiver_is_told_a_few_at_a_time() {
    let gate = Gate::closed();
    let reaction = Reaction::BytesAfter(gate.clone(), answer_bytes(200, "", b""));
    let reactions = std::iter::once(Reaction::status(200)).chain(vec![reaction; MOST]);
    let (rig, receiver) = (Rig::new().await, Receiver::start(reactions).await);
    rig.point_to(&receiver.url()).await;
    failed(&rig, MOST + 2).await;
    rig.deliver().await;
    receiver.next().await;
    let rig = rig.restarted();
    let redeliverer = Redeliverer::new(&rig.engine);
    assert_eq!(redeliverer.tick().await, Ok(Round::Idle));
    let id = order(&rig).await;
    for _ in 0..3 {
        assert_eq!(redeliverer.tick().await, Ok(Round::Waiting));
        rig.engine.tick().await.unwrap();
    }
    for _ in 0..MOST {
        receiver.next().await;
    }
    assert_eq!((receiver.waiting().await, repetitions(&rig).await), (0, MOST));
    gate.open();
    assert!(rig.engine.close(PATIENCE).await);

    let rig = rig.restarted();
    assert_eq!(Redeliverer::new(&rig.engine).tick().await, Ok(Round::Idle));
    assert_eq!((job(&rig, id).await.status, repetitions(&rig).await), (JobStatus::Completed, MOST + 2));
    rig.tick().await;
    assert!(rig.world.deliveries().await.iter().all(|delivery| delivery.status != DeliveryStatus::Pending));
}

#[tokio::test]
async fn a_job_runs_to_its_end_by_itself_and_attempts_that_end_take_it_further() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    rig.point_to(&receiver.url()).await;
    failed(&rig, 30).await;
    let (idle, mut found_idle) = mpsc::unbounded_channel();
    let rig = rig.behind(|store| {
        intercepted(store, move |method| {
            if method == "running_redelivery_jobs" {
                let _ = idle.send(());
            }
            Ok(())
        })
    });
    let loops = [tokio::spawn(rig.engine.clone().run()), tokio::spawn(Redeliverer::new(&rig.engine).run())];
    found_idle.recv().await.unwrap();
    let id = order(&rig).await;
    rig.engine.handoff().wake_redeliveries();
    for _ in 0..30 {
        receiver.next().await;
    }
    assert!(rig.engine.close(PATIENCE).await);
    for ended in loops {
        tokio::time::timeout(PATIENCE, ended).await.expect("the loop goes on").unwrap();
    }
    let job = job(&rig, id).await;
    assert_eq!((job.status, job.enqueued, repetitions(&rig).await), (JobStatus::Completed, 30, 30));
}

#[tokio::test]
async fn a_job_goes_on_after_a_restart_and_repeats_nothing_twice() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    rig.point_to(&receiver.url()).await;
    failed(&rig, 20).await;
    let id = order(&rig).await;
    let mut rig = rig;
    while job(&rig, id).await.status == JobStatus::Running {
        Redeliverer::new(&rig.engine).tick().await.unwrap();
        rig = rig.restarted();
        rig.tick().await;
    }
    assert_eq!((receiver.waiting().await, repetitions(&rig).await), (20, 20));
}

#[tokio::test]
async fn a_job_that_cannot_be_taken_further_holds_up_no_other() {
    let rig = Rig::new().await;
    failed(&rig, 2).await;
    let first = order(&rig).await;
    failed(&rig, 2).await;
    let second = order(&rig).await;
    let fails = Arc::new(AtomicBool::new(true));
    let rig = rig.behind(|store| {
        intercepted(store, move |method| {
            if method == "advance_redelivery_job" && fails.swap(false, Ordering::SeqCst) {
                return Err(StoreError::Unavailable("the script says so".into()));
            }
            Ok(())
        })
    });
    let redeliverer = Redeliverer::new(&rig.engine);
    redeliverer.tick().await.unwrap_err();
    assert_eq!((job(&rig, first).await.enqueued, job(&rig, second).await.status), (0, JobStatus::Completed));
    assert_eq!(redeliverer.tick().await, Ok(Round::Idle));
    assert_eq!(job(&rig, first).await.status, JobStatus::Completed);
}

#[tokio::test]
async fn the_loop_of_bulk_redeliveries_ends_when_the_engine_closes() {
    let rig = Rig::new().await;
    let run = tokio::spawn(Redeliverer::new(&rig.engine).run());
    assert!(rig.engine.close(PATIENCE).await);
    tokio::time::timeout(PATIENCE, run).await.expect("the loop goes on").unwrap();
}
