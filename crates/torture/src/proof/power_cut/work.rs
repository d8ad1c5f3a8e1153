//! What the store does on the disk, and what it promises meanwhile.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::SignedDuration;
use preclinical_core::{
    delivery::Claimed,
    id::{AgentId, DeliveryId, OrganizationId, RunId},
    port::{DeliveryFilter, Fate, Report},
    retry::NextStep,
    run::{FinalStatus, RunRef},
    scenario::ScenarioStatus,
};
use preclinical_testkit::world::{World, answered, message, result};
use tokio::task::JoinSet;

use super::{FILE, Flushing, PowerCuts};
use crate::disk::Disk;

/// Every attempt's request and answer. Large enough that the log soon is long enough to be written back.
const BODY: [u8; 16 * 1024] = [b'x'; 16 * 1024];

/// Something that a call answered.
pub(super) struct Promise {
    /// The steps that the disk had taken when the answer was there.
    pub(super) at: usize,
    pub(super) fact: Fact,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Fact {
    Created(RunId),
    /// The run is final, and its delivery written.
    Ended(RunId, DeliveryId),
    /// That attempt may be made.
    Begun(DeliveryId, u32),
    /// The attempt was answered with that status.
    Recorded(DeliveryId, u16),
}

/// Works on the disk until everything is done. Answers whom it worked for, and all promises, in order.
pub(super) async fn work(
    disk: &Arc<Disk>,
    flushing: Flushing,
    size: PowerCuts,
) -> anyhow::Result<(OrganizationId, Vec<Promise>)> {
    let promises = Arc::<Mutex<Vec<Promise>>>::default();
    let open = || anyhow::Ok(Arc::new(flushing.open(&disk.path().join(FILE))?));
    let first = World::new(open()?, "default").await;
    let agent = first.agent("Assistant").await;
    first.webhook("https://example.com", None).await;
    let (clock, chance, organization) = (Arc::clone(&first.clock), Arc::clone(&first.chance), first.organization);
    drop(first);
    for _ in 0..size.starts {
        closed(disk).await?;
        let (clock, chance) = (Arc::clone(&clock), Arc::clone(&chance));
        let world = Arc::new(World { store: open()?, clock, chance, organization });
        world.store.void_dead_leases(world.now()).await?;
        let mut callers = JoinSet::new();
        for number in 0..size.callers {
            let (world, disk, promises) = (Arc::clone(&world), Arc::clone(disk), Arc::clone(&promises));
            let caller = Caller { world, disk, promises };
            callers.spawn(async move {
                for round in 0..size.rounds {
                    caller.end_a_run(agent, number + round).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended??;
        }
    }
    closed(disk).await?;
    let promises = std::mem::take(&mut *promises.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((organization, promises))
}

/// The store has ended, and with it its threads.
async fn closed(disk: &Arc<Disk>) -> anyhow::Result<()> {
    let disk = Arc::clone(disk);
    tokio::task::spawn_blocking(move || disk.until_closed()).await?
}

struct Caller {
    world: Arc<World>,
    disk: Arc<Disk>,
    promises: Arc<Mutex<Vec<Promise>>>,
}

impl Caller {
    /// Notes what was just answered.
    fn promised(&self, fact: Fact) {
        let mut promises = self.promises.lock().unwrap_or_else(PoisonError::into_inner);
        // Asked for in here, so that they are in order.
        promises.push(Promise { at: self.disk.steps_so_far(), fact });
    }

    /// Creates a run, ends it by one call or the other, and makes its attempt or whichever is due.
    async fn end_a_run(&self, agent: AgentId, choice: usize) -> anyhow::Result<()> {
        let world = &self.world;
        let run = world.store.create_run(world.run_value(agent, Some(1))).await?.id;
        self.promised(Fact::Created(run));
        let lease = (!choice.is_multiple_of(3)).then(|| world.lease());
        let (delivery, fate) = if choice.is_multiple_of(2) {
            let finish = world.finish_value(run, FinalStatus::Completed, lease);
            (finish.dispatch.delivery_id, world.store.finish_run(finish).await?.fate)
        } else {
            let (results, dispatch) = (vec![result("emergency", ScenarioStatus::Passed)], world.dispatch(lease));
            let (organization_id, run, at, delivery) =
                (world.organization, RunRef::Id(run), world.now(), dispatch.delivery_id);
            let report = Report { organization_id, run, results, at, dispatch };
            (delivery, world.store.report_results(report).await?.fate)
        };
        self.promised(Fact::Ended(run, delivery));
        let claimed = match fate {
            Fate::Claimed(claimed) => vec![claimed],
            _ => world.store.claim_due(world.now(), world.leases(2)).await?,
        };
        for claimed in claimed {
            self.attempt(&claimed, choice).await?;
        }
        // Somebody who reads, so that the log is now and then in use when it is written back.
        let filter = DeliveryFilter { limit: 50, ..DeliveryFilter::default() };
        world.store.deliveries(world.organization, filter).await?;
        Ok(())
    }

    async fn attempt(&self, claimed: &Claimed, choice: usize) -> anyhow::Result<()> {
        let world = &self.world;
        self.promised(Fact::Begun(claimed.delivery_id, claimed.attempt));
        if choice.is_multiple_of(7) {
            return Ok(()); // It stays under way.
        }
        let later = world.now() + SignedDuration::from_hours(1);
        let (status, next) =
            if choice.is_multiple_of(5) { (500, NextStep::RetryAt(later)) } else { (200, NextStep::Delivered) };
        let mut record = world.record(claimed, answered(status), next);
        record.request = Some(message(&[("webhook-id", "msg_1")], &BODY));
        record.response = Some(message(&[], &BODY[..status.into()]));
        world.store.record(record).await?;
        self.promised(Fact::Recorded(claimed.delivery_id, status));
        Ok(())
    }
}
