//! A store that is as plain as can be: maps behind one lock, a method at a time.
//!
//! It obeys the same rules as every other, by the same tests, and so it says what the port means in the fewest words. It is fast and
//! repeats itself, which is what a simulation of thousands of seeds needs. It keeps whole microseconds, as stores do.
//!
//! Left out on purpose: everything that makes a store a store. Nothing is on a disk, nothing is sealed, nothing has an index.

mod access;
mod accounts;
mod administration;
mod calls;
mod changes;
mod history;
mod intake;
mod queue;
mod redeliveries;
mod upkeep;
mod webhooks;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use jiff::Timestamp;
use preclinical_core::{
    agent::{Agent, AgentConfig},
    api_key::ApiKey,
    attempt::Attempt,
    custom_header::CustomHeaders,
    decision::Decision,
    delivery::Delivery,
    event::EventContent,
    id::{
        AgentId, ApiKeyId, DeliveryId, EventId, LeaseToken, MemberId, OrganizationId, RedeliveryJobId, RotationId, RunId,
        TestSuiteId, WebhookId,
    },
    invitation::Invitation,
    member::Member,
    organization::Organization,
    password::PasswordHash,
    port::{DeliveryCursor, Page},
    redelivery::RedeliveryJob,
    reveal::SecretReveal,
    run::Run,
    scenario::ScenarioResult,
    secret::SigningSecret,
    session::Session,
    test_suite::TestSuite,
    webhook::Webhook,
};
use tokio::sync::watch;

/// The store. Clones share it.
#[derive(Clone, Default)]
pub struct ReferenceStore {
    ledger: Arc<Mutex<Ledger>>,
    bells: Arc<Mutex<BTreeMap<OrganizationId, watch::Sender<()>>>>,
}

impl ReferenceStore {
    fn read<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.ledger.lock().unwrap())
    }

    /// Changes the ledger and rings for the organizations that it concerns. A change that is refused has changed nothing.
    fn write<T>(&self, change: impl FnOnce(&mut Ledger) -> T) -> T {
        let (answer, concerned) = {
            let mut ledger = self.ledger.lock().unwrap();
            let answer = change(&mut ledger);
            (answer, std::mem::take(&mut ledger.concerned))
        };
        let bells = self.bells.lock().unwrap();
        for bell in concerned.iter().filter_map(|organization| bells.get(organization)) {
            bell.send_replace(());
        }
        answer
    }
}

#[derive(Default)]
struct Ledger {
    organizations: BTreeMap<OrganizationId, OrganizationRow>,
    keys: BTreeMap<ApiKeyId, ApiKey>,
    members: BTreeMap<MemberId, (Member, PasswordHash)>,
    invitations: Vec<Invitation>,
    sessions: Vec<Session>,
    agents: BTreeMap<AgentId, AgentRow>,
    suites: BTreeMap<TestSuiteId, TestSuite>,
    webhooks: BTreeMap<WebhookId, WebhookRow>,
    runs: BTreeMap<RunId, RunRow>,
    events: BTreeMap<EventId, EventRow>,
    deliveries: BTreeMap<DeliveryId, DeliveryRow>,
    jobs: BTreeMap<RedeliveryJobId, JobRow>,
    calls: BTreeMap<[u8; 32], calls::Call>,
    /// Whose runs or deliveries the change under way touches.
    concerned: BTreeSet<OrganizationId>,
}

struct OrganizationRow {
    organization: Organization,
    last_run: u32,
    last_change: u64,
}

/// A deleted agent stays for its runs.
struct AgentRow {
    agent: Agent,
    config: AgentConfig,
    is_deleted: bool,
}

struct WebhookRow {
    webhook: Webhook,
    secret: Option<SigningSecret>,
    rotated: Option<SigningSecret>,
    last_rotation: Option<RotationId>,
    headers: CustomHeaders,
    reveals: Vec<SecretReveal>,
}

struct RunRow {
    run: Run,
    planned: Option<u32>,
    /// In the order of their first report.
    results: Vec<ScenarioResult>,
    /// Where each scenario is among them.
    places: BTreeMap<String, usize>,
    decisions: Vec<(Decision, Option<DeliveryId>)>,
}

struct EventRow {
    run: Option<RunId>,
    content: EventContent,
}

struct DeliveryRow {
    delivery: Delivery,
    organization: OrganizationId,
    event: EventId,
    /// When it may be claimed: its next attempt, or the end of the lease it is under.
    due: Option<Timestamp>,
    lease: Option<LeaseToken>,
    failures: u32,
    job: Option<RedeliveryJobId>,
    /// How many replays that nobody ordered led to it.
    replays: u32,
    /// It failed for good, or was canceled because we disabled its webhook.
    is_missed: bool,
    change: u64,
    attempts: Vec<Attempt>,
}

struct JobRow {
    job: RedeliveryJob,
    organization: OrganizationId,
    reached: Option<DeliveryCursor>,
}

/// A piece of a list, and how long the list is.
fn page<T>(rows: Vec<T>, page: Page) -> (Vec<T>, u64) {
    let total = rows.len() as u64;
    (rows.into_iter().skip(page.offset as usize).take(page.limit as usize).collect(), total)
}

fn micros(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap()
}
