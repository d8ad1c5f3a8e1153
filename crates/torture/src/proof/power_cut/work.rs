//! What the store does on the disk, and what it promises meanwhile: in a process of its own, because whoever answers for a file system
//! must not wait for it.

use std::{
    fmt,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
    str::FromStr,
    sync::Arc,
};

use anyhow::{Context, bail, ensure};
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
use tokio::{process::Command, task::JoinSet};

use super::{FILE, Flushing, PowerCuts};
use crate::disk::{Disk, Step};

/// Every attempt's request and answer. Large enough that the log soon is long enough to be written back.
const BODY: [u8; 16 * 1024] = [b'x'; 16 * 1024];

/// What was answered, on the same disk, so that it is known when: a line each.
const BOOK: &str = "promises";

/// Tells a process that it is the one that works: how, how much, and where.
const ORDER: &str = "TORTURE_WORK";

/// Something that a call answered.
pub(super) struct Promise {
    /// The steps that had been done to the disk when it was noted, after the answer.
    pub(super) at: usize,
    pub(super) fact: Fact,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Fact {
    For(OrganizationId),
    Created(RunId),
    /// The run is final, and its delivery written.
    Ended(RunId, DeliveryId),
    /// That attempt may be made.
    Begun(DeliveryId, u32),
    /// The attempt was answered with that status.
    Recorded(DeliveryId, u16),
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(organization) => write!(f, "for {organization}"),
            Self::Created(run) => write!(f, "created {run}"),
            Self::Ended(run, delivery) => write!(f, "ended {run} {delivery}"),
            Self::Begun(delivery, number) => write!(f, "begun {delivery} {number}"),
            Self::Recorded(delivery, status) => write!(f, "recorded {delivery} {status}"),
        }
    }
}

impl FromStr for Fact {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Self> {
        Ok(match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["for", organization] => Self::For(organization.parse()?),
            ["created", run] => Self::Created(run.parse()?),
            ["ended", run, delivery] => Self::Ended(run.parse()?, delivery.parse()?),
            ["begun", delivery, number] => Self::Begun(delivery.parse()?, number.parse()?),
            ["recorded", delivery, status] => Self::Recorded(delivery.parse()?, status.parse()?),
            _ => bail!("no promise: {line}"),
        })
    }
}

/// Has that program work on the disk, from one start to the next, until everything is done.
pub(super) async fn work(disk: &Disk, worker: &Path, flushing: Flushing, size: PowerCuts) -> anyhow::Result<()> {
    for start in 0..size.starts {
        let order = format!("{flushing:?} {} {} {start}", size.callers, size.rounds);
        let mut command = Command::new(worker);
        command.env(ORDER, order).current_dir(disk.path()).stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await.with_context(|| format!("{}", worker.display()))?;
        ensure!(output.status.success(), "the work failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// The steps of the database's own, and everything that was promised between them, in order.
pub(super) fn read(steps: Vec<Step>) -> anyhow::Result<(Vec<Step>, Vec<Promise>)> {
    let book = steps.iter().find_map(|step| match step {
        Step::Named { name, file } if name == BOOK => Some(*file),
        _ => None,
    });
    let (mut rest, mut promises, mut line) = (Vec::new(), Vec::new(), Vec::new());
    for step in steps {
        match step {
            // One write may be several steps.
            Step::Written { file, data, .. } if Some(file) == book => {
                for byte in data {
                    line.push(byte);
                    if byte == b'\n' {
                        let fact = std::str::from_utf8(&line)?.parse()?;
                        promises.push(Promise { at: rest.len(), fact });
                        line.clear();
                    }
                }
            }
            step => rest.push(step),
        }
    }
    Ok((rest, promises))
}

/// Works if this process was started for that; `None` if not.
pub async fn work_if_asked() -> Option<anyhow::Result<()>> {
    let order = std::env::var(ORDER).ok()?;
    Some(obey(&order).await)
}

async fn obey(order: &str) -> anyhow::Result<()> {
    let [flushing, callers, rounds, start] = order.split(' ').collect::<Vec<_>>()[..] else { bail!("no order: {order}") };
    let (callers, rounds): (usize, usize) = (callers.parse()?, rounds.parse()?);
    let store = Arc::new(Flushing::named(flushing)?.open(&PathBuf::from(FILE))?);
    let book = Arc::new(File::options().create(true).append(true).open(BOOK)?);
    let world = Arc::new(World::new(store, &format!("start-{start}")).await);
    world.store.void_dead_leases(world.now()).await?;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let mut tasks = JoinSet::new();
    for number in 0..callers {
        let caller = Caller { world: Arc::clone(&world), book: Arc::clone(&book) };
        caller.promised(Fact::For(world.organization))?;
        tasks.spawn(async move {
            for round in 0..rounds {
                caller.end_a_run(agent, number + round).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

struct Caller {
    world: Arc<World>,
    book: Arc<File>,
}

impl Caller {
    /// Notes what was just answered.
    fn promised(&self, fact: Fact) -> anyhow::Result<()> {
        Ok((&*self.book).write_all(format!("{fact}\n").as_bytes())?)
    }

    /// Creates a run, ends it by one call or the other, and makes its attempt or whichever is due.
    async fn end_a_run(&self, agent: AgentId, choice: usize) -> anyhow::Result<()> {
        let world = &self.world;
        let run = world.store.create_run(world.run_value(agent, Some(1))).await?.id;
        self.promised(Fact::Created(run))?;
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
        self.promised(Fact::Ended(run, delivery))?;
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
        self.promised(Fact::Begun(claimed.delivery_id, claimed.attempt))?;
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
        self.promised(Fact::Recorded(claimed.delivery_id, status))?;
        Ok(())
    }
}
