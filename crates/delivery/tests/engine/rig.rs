//! An engine with all that it needs, and short ways to make it work.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
};
use jiff::Timestamp;
use preclinical_core::{
    address::AddressPolicy,
    attempt::{Attempt, ErrorKind},
    delivery::{Claimed, DeliveryStatus},
    endpoint::EndpointPolicy,
    health::DEFAULT_PATIENCE,
    id::{AgentId, DeliveryId, OrganizationId, WebhookId},
    port::{Admitted, Applicant, AttemptSummary, Fate, Offer, Reservation, Sent, Standing, Store},
    retry::RetrySchedule,
    run::FinalStatus,
    webhook::WebhookChanges,
};
use preclinical_delivery::{Engine, Platform, Settings, Tick, WebhookClient};
use preclinical_store_sqlite::SqliteStore;
use preclinical_testkit::{
    receiver::{Reaction, Receiver},
    world::{PUBLIC_URL, World, vault},
};
use rustls::RootCertStore;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// After how long an engine that does not come to rest has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Rig {
    pub(crate) world: World,
    pub(crate) engine: Arc<Engine>,
    pub(crate) agent: AgentId,
    pub(crate) webhook: WebhookId,
    pub(crate) client: WebhookClient,
    pub(crate) settings: Settings,
    _folder: TempDir,
}

/// A place that is held.
#[expect(dead_code, reason = "held until they are dropped")]
pub(crate) enum Taken {
    OfDelivery(Arc<dyn Offer>),
    OfTest(Box<dyn Reservation>),
}

impl Rig {
    /// An engine that may call 127.0.0.0/8, and a webhook whose URL is still to be set.
    pub(crate) async fn new() -> Self {
        Self::on_platform(platform(None, RootCertStore::empty()), loopback()).await
    }

    /// The same with a deadline that passes soon.
    pub(crate) async fn hurried() -> Self {
        Self::hurried_on(platform(None, RootCertStore::empty()), loopback()).await
    }

    pub(crate) async fn hurried_on(platform: Platform, policy: EndpointPolicy) -> Self {
        let rig = Self::on_platform(platform, policy).await;
        Self { settings: settings(Duration::from_millis(150)), ..rig }.restarted()
    }

    pub(crate) async fn on_platform(platform: Platform, policy: EndpointPolicy) -> Self {
        let client = WebhookClient::on(platform, policy).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open_exclusively(&folder.path().join("test.db"), vault()).unwrap());
        let world = World::new(store, "default").await;
        let agent = world.agent("Assistant").await;
        let webhook = world.webhook("https://unset.invalid/", None).await;
        let settings = settings(PATIENCE);
        let engine = engine(&world, &client, &settings);
        Self { world, engine, agent, webhook, client, settings, _folder: folder }
    }

    /// The same with a fresh engine.
    pub(crate) fn restarted(self) -> Self {
        Self { engine: self.new_engine(), ..self }
    }

    /// The same with another schedule.
    pub(crate) fn with_schedule(mut self, text: &str) -> Self {
        self.settings.schedule = text.parse().unwrap();
        self.restarted()
    }

    /// The same with something in front of its store.
    pub(crate) fn behind(mut self, store: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>) -> Self {
        self.world.store = store(self.world.store);
        self.restarted()
    }

    /// Another engine on the same store, as another process would be.
    pub(crate) fn new_engine(&self) -> Arc<Engine> {
        engine(&self.world, &self.client, &self.settings)
    }

    pub(crate) async fn point_to(&self, url: &str) {
        let changes = WebhookChanges { url: Some(url.to_owned()), ..WebhookChanges::default() };
        self.world.store.update_webhook(self.world.organization, self.webhook, changes, self.world.now()).await.unwrap();
    }

    /// A place in the engine and a delivery that was admitted to it.
    pub(crate) async fn reserve_and_write(&self) -> (Arc<dyn Offer>, Claimed) {
        match self.finish().await {
            (offer, _, Fate::Claimed(claimed)) => (offer, claimed),
            (.., other) => panic!("not claimed: {other:?}"),
        }
    }

    /// Completes a run with a place on offer.
    pub(crate) async fn finish(&self) -> (Arc<dyn Offer>, DeliveryId, Fate) {
        let (offer, run) = (self.engine.handoff().offer(), self.world.run(self.agent, None).await);
        let mut finish = self.world.finish_value(run.id, FinalStatus::Completed, None);
        finish.dispatch.places = Arc::clone(&offer) as _;
        let id = finish.dispatch.delivery_id;
        (offer, id, self.world.store.finish_run(finish).await.unwrap().fate)
    }

    /// Takes every place there is, each for another organization. They are free again when the answer is dropped.
    pub(crate) fn take_all(&self) -> Vec<Taken> {
        let (now, chance, handoff) = (self.world.now(), &*self.world.chance, self.engine.handoff());
        let somebody = || (OrganizationId::generate(now, chance), WebhookId::generate(now, chance));
        let one = || {
            let (offer, delivery) = (handoff.offer(), DeliveryId::generate(now, chance));
            let (organization, webhook) = somebody();
            let answer = offer.admit(&Applicant { delivery, organization, webhook, standing: Standing::Proven });
            matches!(answer, Admitted::Granted(_)).then_some(Taken::OfDelivery(offer))
        };
        let of_test = || {
            let (organization, webhook) = somebody();
            handoff.reserve_for_test(organization, webhook).map(Taken::OfTest)
        };
        std::iter::from_fn(one).chain(std::iter::from_fn(of_test)).collect()
    }

    /// Completes a run and hands its delivery over.
    pub(crate) async fn send(&self) -> (DeliveryId, Sent) {
        let (place, claimed) = self.reserve_and_write().await;
        (claimed.delivery_id, place.send(claimed))
    }

    /// The same, until the attempt is recorded.
    pub(crate) async fn deliver(&self) -> (DeliveryId, AttemptSummary) {
        let (id, sent) = self.send().await;
        let summary = tokio::time::timeout(PATIENCE * 2, sent).await.expect("the attempt does not end");
        (id, summary.expect("a record"))
    }

    /// Completes a run whose delivery waits to be claimed.
    pub(crate) async fn write_due(&self) -> DeliveryId {
        let run = self.world.run(self.agent, None).await;
        let finish = self.world.finish_value(run.id, FinalStatus::Completed, None);
        let id = finish.dispatch.delivery_id;
        assert!(matches!(self.world.store.finish_run(finish).await.unwrap().fate, Fate::Due));
        id
    }

    /// Where a delivery stands after its first attempt, at that URL, and what is kept of it.
    pub(crate) async fn exchange(&self, url: &str) -> (DeliveryStatus, Attempt) {
        self.point_to(url).await;
        let (id, _) = self.deliver().await;
        (self.status(id).await, self.attempts(id).await.remove(0))
    }

    /// The same at a receiver of its own that does this.
    pub(crate) async fn exchange_at(&self, reaction: Reaction) -> (DeliveryStatus, Attempt) {
        self.exchange(&Receiver::start([reaction]).await.url()).await
    }

    /// What is kept of an attempt at that URL.
    pub(crate) async fn attempt_to(&self, url: &str) -> Attempt {
        self.exchange(url).await.1
    }

    /// The kind of failure of an attempt at that URL.
    pub(crate) async fn failure_to(&self, url: &str) -> ErrorKind {
        failure(self.exchange(url).await)
    }

    /// The same at a receiver of its own that does this.
    pub(crate) async fn failure_at(&self, reaction: Reaction) -> ErrorKind {
        failure(self.exchange_at(reaction).await)
    }

    /// Closes the engine and waits until its loop has ended.
    pub(crate) async fn end(&self, run: JoinHandle<()>) {
        assert!(self.engine.close(PATIENCE).await, "attempts did not end");
        tokio::time::timeout(PATIENCE, run).await.expect("the loop goes on").unwrap();
    }

    /// Lets an engine of its own look once, and waits until what it started is recorded.
    pub(crate) async fn tick(&self) -> Tick {
        let engine = self.new_engine();
        let tick = engine.tick().await.unwrap();
        assert!(engine.close(PATIENCE).await, "attempts did not end");
        tick
    }

    pub(crate) async fn attempts(&self, id: DeliveryId) -> Vec<Attempt> {
        self.world.store.delivery(self.world.organization, id).await.unwrap().unwrap().1
    }

    pub(crate) async fn status(&self, id: DeliveryId) -> DeliveryStatus {
        self.world.delivery(id).await.status
    }

    /// When the next attempt of a delivery that failed is due.
    pub(crate) async fn next_attempt(&self, id: DeliveryId) -> Timestamp {
        self.world.delivery(id).await.next_attempt_at.expect("a next attempt")
    }
}

/// The delivery must be waiting for its next attempt, and nothing of an answer be kept.
fn failure((status, attempt): (DeliveryStatus, Attempt)) -> ErrorKind {
    let error = attempt.error.expect("a failure");
    assert_eq!((status, attempt.http_status, attempt.response), (DeliveryStatus::Pending, None, None));
    assert!(!error.message.is_empty() && !error.message.contains("/webhook"), "{}", error.message);
    error.kind
}

fn engine(world: &World, client: &WebhookClient, settings: &Settings) -> Arc<Engine> {
    Engine::new(world.store.clone(), world.clock.clone(), world.chance.clone(), client.clone(), settings.clone())
}

/// The documented schedule.
fn settings(request_timeout: Duration) -> Settings {
    Settings {
        schedule: RetrySchedule::default(),
        request_timeout,
        lease_margin: Duration::from_secs(30),
        patience: Some(DEFAULT_PATIENCE),
        public_url: PUBLIC_URL.into(),
    }
}

/// Allows 127.0.0.0/8.
pub(crate) fn loopback() -> EndpointPolicy {
    let addresses = AddressPolicy { allow: vec!["127.0.0.0/8".parse().unwrap()], deny: vec![] };
    EndpointPolicy { addresses, ..EndpointPolicy::default() }
}

/// Where a machine looks for names that are not there as they are, unless it is told not to.
pub(crate) const SEARCH: &str = "search.example";

/// A machine with one name server, or none, that trusts these authorities.
pub(crate) fn platform(name_server: Option<SocketAddr>, roots: RootCertStore) -> Platform {
    let mut config = ResolverConfig::default();
    config.add_search(SEARCH.parse().unwrap());
    if let Some(address) = name_server {
        let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
        (udp.port, tcp.port) = (address.port(), address.port());
        config.add_name_server(NameServerConfig::new(address.ip(), true, vec![udp, tcp]));
    }
    let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).build().unwrap();
    Platform { resolver, roots, proxy: None }
}
