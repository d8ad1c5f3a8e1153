//! What a power cut left is opened, read and compared with what was promised.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{anyhow, ensure};
use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    id::{DeliveryId, OrganizationId, RunId},
    port::{DeliveryFilter, History, Page, RunFilter},
    retry::NextStep,
    run::Run,
};
use preclinical_store_sqlite::SqliteStore;
use preclinical_testkit::{
    chance::SeededChance,
    world::{World, answered, vault},
};
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

use super::{
    FILE,
    work::{Fact, Promise},
};
use crate::disk::Contents;

/// More runs and deliveries than there are.
const ALL: u32 = 100_000;

/// What is no whole: each asks for what must not be.
const HALVES: [(&str, &str); 8] = [
    (
        "runs without their event, decision or delivery, or these without the run's end",
        "SELECT count(*) FROM runs WHERE (status = 'completed') <> (SELECT count(*) FROM events WHERE run_id = runs.id)
         OR (status = 'completed') <> (SELECT count(decisions) FROM events WHERE run_id = runs.id)
         OR (status = 'completed') <> (SELECT count(*) FROM deliveries WHERE run_id = runs.id)",
    ),
    (
        "runs without their results",
        "SELECT count(*) FROM runs WHERE reported <> (SELECT count(*) FROM scenario_results WHERE run_id = runs.id)",
    ),
    (
        "deliveries without their attempts",
        "SELECT count(*) FROM deliveries WHERE (lease_token IS NOT NULL AND attempt_started_at IS NULL)
         OR attempt_count <> (SELECT count(*) FROM attempts WHERE delivery_id = deliveries.id) + (lease_token IS NOT NULL)",
    ),
    (
        "attempts without their request and answer, or these without the attempt's end",
        "SELECT count(*) FROM attempts WHERE (http_status IS NOT NULL) <> (SELECT count(*) FROM exchanges WHERE id = exchange
         AND (request_deflated OR request_bytes = length(request_body))
         AND (response_deflated OR response_bytes = length(response_body)))",
    ),
    (
        "requests and answers of no attempt or of two, or attempts whose are missing",
        "SELECT count(*) FROM attempts FULL JOIN exchanges ON exchanges.id = exchange
         WHERE (exchange IS NOT NULL OR exchanges.id IS NOT NULL) AND (exchanges.id IS NULL OR exchange IS NULL
         OR 1 < (SELECT count(*) FROM attempts others WHERE others.exchange = attempts.exchange))",
    ),
    (
        "deliveries that did not move on with their attempt",
        "SELECT count(*) FROM deliveries WHERE http_status IS NOT (SELECT max(http_status) FROM attempts WHERE delivery_id = deliveries.id)
         OR (status = 'delivered') <> coalesce(http_status = 200, 0)",
    ),
    (
        "deliveries with the number of another's change, or of one that was not counted",
        "SELECT (SELECT count(*) FROM deliveries) - (SELECT count(*) FROM (SELECT DISTINCT organization_id, change FROM deliveries))
         + (SELECT count(*) FROM organizations
            WHERE last_change < (SELECT coalesce(max(change), 0) FROM deliveries WHERE organization_id = organizations.id))",
    ),
    (
        "gaps in the numbers of runs, or runs that were counted wrongly",
        "WITH counted (runs) AS (SELECT count(*) FROM runs) SELECT count(*) FROM counted
         WHERE runs <> (SELECT coalesce(sum(last_run_number), 0) FROM organizations)
         OR runs <> (SELECT coalesce(sum(runs), 0) FROM run_counts)
         OR EXISTS (SELECT 1 FROM (SELECT organization_id, agent_id, status, count(*) AS n FROM runs GROUP BY 1, 2, 3)
           LEFT JOIN run_counts USING (organization_id, agent_id, status) WHERE runs IS NOT n)",
    ),
];

/// Opens one disk after the other.
pub(super) struct Inspector {
    folder: TempDir,
    /// How many disks there were.
    pub(super) looked: usize,
    /// The first one with which something was wrong.
    wrong: Option<PathBuf>,
}

impl Inspector {
    pub(super) fn new() -> anyhow::Result<Self> {
        // In memory, if it can be: what is opened here is not cut off any more.
        let mut builder = tempfile::Builder::new();
        builder.prefix("torture-");
        let folder = builder.tempdir_in("/dev/shm").or_else(|_| builder.tempdir())?;
        Ok(Self { folder, looked: 0, wrong: None })
    }

    /// Opens the database on a disk. Answers what is wrong with it.
    pub(super) async fn look(&mut self, contents: &Contents, promised: &[Promise]) -> anyhow::Result<Option<String>> {
        self.looked += 1;
        let (folder, copy) = (self.folder.path().join(self.looked.to_string()), self.folder.path().join("wrong"));
        write(contents, &folder)?;
        let wrong = judge(&folder.join(FILE), promised).await.err().map(|wrong| format!("{wrong:#}"));
        if wrong.is_some() && self.wrong.is_none() {
            write(contents, &copy)?;
            self.wrong = Some(copy);
        }
        // Its threads may not have ended yet; what they leave goes with everything.
        let _ = fs::remove_dir_all(&folder);
        Ok(wrong)
    }

    /// Where the first disk is with which something was wrong, as it was before it was opened. Without one nothing is kept.
    pub(super) fn keep(self) -> Option<PathBuf> {
        let wrong = self.wrong?;
        let _ = self.folder.keep();
        Some(wrong)
    }
}

fn write(contents: &Contents, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir(folder)?;
    for (name, bytes) in contents.named() {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// What is wrong with a database, first what is worst.
async fn judge(path: &Path, promised: &[Promise]) -> anyhow::Result<()> {
    let store = SqliteStore::open_exclusively(path, vault()).map_err(|error| anyhow!("unreadable: {error}"))?;
    is_whole(&Connection::open(path)?)?;
    let mut left = Left::default();
    for promise in promised {
        if let Fact::For(organization) = promise.fact
            && left.organizations.insert(organization)
        {
            let (runs, _) = store.runs(organization, RunFilter::default(), Page { limit: ALL, offset: 0 }).await?;
            left.runs.extend(runs.into_iter().map(|run| (run.id, run)));
            let page = store.deliveries(organization, DeliveryFilter { limit: ALL, ..DeliveryFilter::default() }).await?;
            left.deliveries.extend(page.deliveries.into_iter().map(|delivery| (delivery.id, delivery)));
        }
    }
    let lost: Vec<Fact> = promised.iter().map(|promise| promise.fact).filter(|fact| !left.has(fact)).collect();
    ensure!(lost.is_empty(), "lost: {} of {} promises, first {:?}", lost.len(), promised.len(), lost[0]);
    goes_on(store).await
}

fn is_whole(connection: &Connection) -> anyhow::Result<()> {
    let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(integrity == "ok", "damaged: {integrity}");
    ensure!(!connection.prepare("PRAGMA foreign_key_check")?.exists([])?, "half done: rows without what they refer to");
    for (what, query) in HALVES {
        let count: u32 = connection.query_row(query, [], |row| row.get(0))?;
        ensure!(count == 0, "half done: {count} {what}");
    }
    Ok(())
}

/// What a cut left of what was promised.
#[derive(Default)]
struct Left {
    organizations: BTreeSet<OrganizationId>,
    runs: BTreeMap<RunId, Run>,
    deliveries: BTreeMap<DeliveryId, Delivery>,
}

impl Left {
    fn has(&self, fact: &Fact) -> bool {
        let delivery = |id| self.deliveries.get(id);
        match fact {
            // All its calls would fail.
            Fact::For(_) => true,
            Fact::Created(run) => self.runs.contains_key(run),
            Fact::Ended(run, id) => {
                self.runs.get(run).is_some_and(|run| run.status.is_final())
                    && delivery(id).is_some_and(|delivery| delivery.run_id == Some(*run))
            }
            Fact::Begun(id, number) => delivery(id).is_some_and(|delivery| delivery.attempt_count >= *number),
            Fact::Recorded(id, status) => delivery(id).is_some_and(|delivery| {
                let is_delivered = delivery.status == DeliveryStatus::Delivered;
                delivery.http_status == Some(*status) && is_delivered == (*status == 200)
            }),
        }
    }
}

/// As at any start: leases are voided, and what was cut off is made again.
async fn goes_on(store: SqliteStore) -> anyhow::Result<()> {
    let (store, clock, chance) = (Arc::new(store), Arc::default(), Arc::new(SeededChance::new(0)));
    let mut world = World { store, clock, chance, organization: OrganizationId::from_uuid(Uuid::nil()) };
    world.store.void_dead_leases(world.now()).await?;
    let is_due = world.store.next_due().await?.is_some_and(|due| due <= world.now());
    let claimed = world.store.claim_due(world.now(), world.leases(1)).await?;
    ensure!(claimed.len() == usize::from(is_due), "stuck: {} deliveries claimed", claimed.len());
    for claimed in claimed {
        world.store.record(world.record(&claimed, answered(200), NextStep::Delivered)).await?;
        world.organization = claimed.organization_id;
        ensure!(world.delivery(claimed.delivery_id).await.status == DeliveryStatus::Delivered, "stuck: nothing is recorded");
    }
    Ok(())
}
