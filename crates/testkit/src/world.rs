//! An organization on a store, and short ways to do what tests do all the time.

mod people;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    agent::{Agent, AgentConfig, Provider},
    attempt::{AttemptError, ErrorKind, Message, Outcome},
    clock::Clock,
    custom_header::{CustomHeaders, HeaderName, HeaderValue, WantedHeader},
    delivery::{Claimed, Delivery, Lease},
    health::{DEFAULT_PATIENCE, Health},
    id::{AgentId, DeliveryId, EventId, LeaseToken, OrganizationId, RunId, WebhookId},
    organization::Organization,
    port::{
        Admission, AttemptRecord, DeliveryFilter, Disabling, Dispatch, Fate, Finish, FinishError, Finished, NewAgent,
        NewRun, NewWebhook, Report, ReportError, Store, TestDelivery,
    },
    replay_on_recovery::ReplayOnRecovery,
    retry::NextStep,
    run::{FinalStatus, Run, RunRef},
    scenario::{ScenarioResult, ScenarioStatus},
    secret::SigningSecret,
    timing::Timing,
    vault::{MasterKey, Vault},
    version::Version,
    webhook::Webhook,
};

use crate::{chance::SeededChance, clock::ManualClock, places::Places};

/// The base of results URLs in tests.
pub const PUBLIC_URL: &str = "https://app.example.com";

/// How long leases last in tests.
pub const LEASE: SignedDuration = SignedDuration::from_secs(45);

/// The vault of tests; the same key every time.
pub fn vault() -> Vault {
    Vault::new(&MasterKey::generate(&SeededChance::new(0)), Arc::new(SeededChance::new(1)))
}

/// An organization with a clock of its own.
pub struct World {
    /// The store under test.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<ManualClock>,
    /// Where ids come from.
    pub chance: Arc<SeededChance>,
    /// The organization.
    pub organization: OrganizationId,
}

impl World {
    /// An organization of that slug on the store. Different slugs get different ids.
    pub async fn new(store: Arc<dyn Store>, slug: &str) -> Self {
        let seed = slug.bytes().fold(1_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let (clock, chance) = (Arc::new(ManualClock::default()), Arc::new(SeededChance::new(seed)));
        let id = OrganizationId::generate(clock.now(), &*chance);
        let organization = Organization { id, slug: slug.parse().unwrap(), created_at: clock.now() };
        let organization = store.ensure_organization(organization).await.unwrap().id;
        Self { store, clock, chance, organization }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A fresh lease.
    pub fn lease(&self) -> Lease {
        let until = self.now().checked_add(LEASE).unwrap();
        Lease { token: LeaseToken::generate(self.now(), &*self.chance), until }
    }

    /// Places with fresh leases for whoever asks first.
    pub fn leases(&self, count: usize) -> Arc<dyn Admission> {
        Places::of((0..count).map(|_| self.lease()))
    }

    /// A new agent.
    pub async fn agent(&self, name: &str) -> AgentId {
        let agent = Agent {
            id: AgentId::generate(self.now(), &*self.chance),
            organization_id: self.organization,
            provider: Provider::Openai,
            name: name.to_owned(),
            description: None,
            is_active: true,
            version: Version::FIRST,
            created_at: self.now(),
            updated_at: self.now(),
        };
        self.store.create_agent(NewAgent { agent, config: AgentConfig(b"{}".to_vec()) }).await.unwrap().id
    }

    /// A webhook, not yet stored.
    pub fn webhook_value(&self, url: &str, agent_id: Option<AgentId>) -> NewWebhook {
        let webhook = Webhook {
            id: WebhookId::generate(self.now(), &*self.chance),
            organization_id: self.organization,
            agent_id,
            url: url.to_owned(),
            has_secret: true,
            rotated_until: None,
            header_names: Vec::new(),
            description: None,
            is_enabled: true,
            disabled_reason: None,
            replay_on_recovery: ReplayOnRecovery::Off,
            health: Health::default(),
            version: Version::FIRST,
            created_at: self.now(),
            updated_at: self.now(),
        };
        NewWebhook { webhook, secret: Some(SigningSecret::parse("s3cret").unwrap()), headers: CustomHeaders::default() }
    }

    /// A new webhook, of the organization or of an agent.
    pub async fn webhook(&self, url: &str, agent_id: Option<AgentId>) -> WebhookId {
        self.store.create_webhook(self.webhook_value(url, agent_id)).await.unwrap().id
    }

    /// A run, not yet stored, that starts now.
    pub fn run_value(&self, agent_id: AgentId, planned: Option<u32>) -> NewRun {
        NewRun {
            id: RunId::generate(self.now(), &*self.chance),
            organization_id: self.organization,
            agent_id,
            test_suite_id: None,
            name: Some("Emergency Response Test".to_owned()),
            planned,
            started_at: Some(self.now()),
            created_at: self.now(),
        }
    }

    /// A new run that starts now.
    pub async fn run(&self, agent_id: AgentId, planned: Option<u32>) -> Run {
        self.store.create_run(self.run_value(agent_id, planned)).await.unwrap()
    }

    /// What a run's end is written with.
    pub fn dispatch(&self, lease: Option<Lease>) -> Dispatch {
        Dispatch {
            event_id: EventId::generate(self.now(), &*self.chance),
            delivery_id: DeliveryId::generate(self.now(), &*self.chance),
            places: Places::of(lease),
            public_url: PUBLIC_URL.to_owned(),
        }
    }

    /// The order to end a run now.
    pub fn finish_value(&self, run: RunId, to: FinalStatus, lease: Option<Lease>) -> Finish {
        Finish {
            organization_id: self.organization,
            run: RunRef::Id(run),
            to,
            counts: None,
            at: self.now(),
            dispatch: self.dispatch(lease),
        }
    }

    /// Completes a run now.
    pub async fn complete(&self, run: RunId, lease: Option<Lease>) -> Result<Finished, FinishError> {
        self.store.finish_run(self.finish_value(run, FinalStatus::Completed, lease)).await
    }

    /// A new run of a new agent, completed with a lease in hand.
    ///
    /// # Panics
    /// If no webhook hears of it.
    pub async fn claimed(&self, agent: AgentId) -> Claimed {
        let run = self.run(agent, None).await;
        match self.complete(run.id, Some(self.lease())).await.unwrap().fate {
            Fate::Claimed(claimed) => claimed,
            other => panic!("not claimed: {other:?}"),
        }
    }

    /// Reports results now.
    pub async fn report(&self, run: RunId, results: Vec<ScenarioResult>) -> Result<Finished, ReportError> {
        let dispatch = self.dispatch(None);
        let (organization_id, run, at) = (self.organization, RunRef::Id(run), self.now());
        self.store.report_results(Report { organization_id, run, results, at, dispatch }).await
    }

    /// The run as it is now.
    pub async fn run_now(&self, run: RunId) -> Run {
        self.store.run(self.organization, RunRef::Id(run)).await.unwrap().unwrap()
    }

    /// All deliveries, newest first.
    pub async fn deliveries(&self) -> Vec<Delivery> {
        let filter = DeliveryFilter { limit: 1000, ..DeliveryFilter::default() };
        self.store.deliveries(self.organization, filter).await.unwrap().deliveries
    }

    /// The delivery as it is now.
    pub async fn delivery(&self, id: DeliveryId) -> Delivery {
        self.store.delivery(self.organization, id).await.unwrap().unwrap().0
    }

    /// A test delivery to a webhook.
    pub async fn enqueue_test(&self, webhook_id: WebhookId) -> Option<Claimed> {
        let test = TestDelivery {
            organization_id: self.organization,
            webhook_id,
            event_id: EventId::generate(self.now(), &*self.chance),
            delivery_id: DeliveryId::generate(self.now(), &*self.chance),
            lease: self.lease(),
            at: self.now(),
        };
        self.store.enqueue_test(test).await.unwrap()
    }

    /// The record of a claimed attempt that ends now.
    pub fn record(&self, claimed: &Claimed, outcome: Outcome, next: NextStep) -> AttemptRecord {
        AttemptRecord {
            delivery_id: claimed.delivery_id,
            number: claimed.attempt,
            lease: claimed.lease.token,
            ended_at: self.now(),
            duration_ms: 12,
            timing: Timing::default(),
            outcome,
            request: None,
            response: None,
            next,
            disabling: self.disabling(),
        }
    }

    /// What follows if an attempt disables its webhook.
    pub fn disabling(&self) -> Disabling {
        Disabling {
            patience: Some(DEFAULT_PATIENCE),
            event_id: EventId::generate(self.now(), &*self.chance),
            delivery_id: DeliveryId::generate(self.now(), &*self.chance),
            public_url: PUBLIC_URL.into(),
        }
    }
}

/// A result of that verdict.
pub fn result(id: &str, status: ScenarioStatus) -> ScenarioResult {
    ScenarioResult {
        scenario_id: id.to_owned(),
        scenario_name: format!("Scenario {id}"),
        status,
        grade_summary: None,
        criteria_results: None,
        transcript: None,
        duration_ms: None,
        error_message: None,
    }
}

/// A custom header as somebody wants it; without a value it keeps its own.
pub fn wanted(name: &str, value: Option<&str>) -> WantedHeader {
    let value = value.map(|value| HeaderValue::parse(value).unwrap());
    WantedHeader { name: HeaderName::parse(name).unwrap(), value }
}

/// The names and values of custom headers, to be compared.
pub fn header_pairs(headers: &CustomHeaders) -> Vec<(String, String)> {
    headers.iter().map(|header| (header.name.as_str().to_owned(), header.value.expose().to_owned())).collect()
}

/// An answer.
pub fn answered(status: u16) -> Outcome {
    Outcome::Answered { status, retry_after: None }
}

/// No answer.
pub fn unreachable() -> Outcome {
    Outcome::Failed(AttemptError { kind: ErrorKind::Connect, message: "connection refused".to_owned() })
}

/// A message of the history.
pub fn message(headers: &[(&str, &str)], body: &[u8]) -> Message {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Message { headers: headers.into(), body: body.to_vec().into(), size_bytes: body.len() as u64, truncated: false }
}
