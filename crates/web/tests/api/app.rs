//! The API of a fresh installation, and short ways to use it.

mod answer;
mod client;
mod database;
mod endpoints;
mod recorder;
mod stream;

use std::{sync::Arc, time::Duration};

use axum::Router;
use jiff::SignedDuration;
use preclinical_core::{
    api_key::{ApiKey, ApiKeyText},
    endpoint::EndpointPolicy,
    health::DEFAULT_PATIENCE,
    id::ApiKeyId,
    port::Store,
    retry::RetrySchedule,
};
use preclinical_store_sqlite::SqliteStore;
use preclinical_testkit::world::{PUBLIC_URL, World, vault};
use preclinical_web::{App, Limits, StreamLimits, Streams};
use tempfile::TempDir;

pub(crate) use self::{
    answer::{Answer, names},
    client::{Client, URL},
    database::Database,
    endpoints::Endpoints,
    recorder::Recorder,
    stream::{Event, Stream},
};

/// An id that nothing has.
pub(crate) const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// A fresh installation with an organization, `acme`.
pub(crate) struct TestApp {
    /// The API as `acme` calls it.
    pub(crate) api: Client,
    /// `acme`'s rows, and the clock and the chance of the server.
    pub(crate) world: World,
    /// Where deliveries go.
    pub(crate) handoff: Recorder,
    /// What agents' endpoints answer.
    pub(crate) endpoints: Endpoints,
    /// The streams of events that are open: 3 for each key and 5 in all, at most.
    pub(crate) streams: Arc<Streams>,
    /// The store's file.
    pub(crate) database: Database,
    router: Router,
    _folder: TempDir,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::over(|store| store).await
    }

    /// An installation whose server sees its store through `through`.
    pub(crate) async fn over(through: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>) -> Self {
        Self::built(through, Limits::default()).await
    }

    /// An installation with these limits.
    pub(crate) async fn within(limits: Limits) -> Self {
        Self::built(|store| store, limits).await
    }

    async fn built(through: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>, limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open_exclusively(&path, vault()).unwrap());
        let world = World::new(through(store), "acme").await;
        let handoff = Recorder::new(world.clock.clone(), world.chance.clone());
        let endpoints = Endpoints::default();
        let streams = Streams::new(StreamLimits { per_key: 3, in_all: 5 });
        let router = preclinical_web::router(Arc::new(App {
            store: world.store.clone(),
            handoff: Arc::new(handoff.clone()),
            prober: Arc::new(endpoints.clone()),
            clock: world.clock.clone(),
            chance: world.chance.clone(),
            endpoints: EndpointPolicy::default(),
            public_url: PUBLIC_URL.to_owned(),
            schedule: RetrySchedule::default(),
            request_timeout: Duration::from_secs(15),
            patience: Some(DEFAULT_PATIENCE),
            limits,
            streams: streams.clone(),
        }));
        let api = client_of(&world, &router, |key| key).await;
        Self { api, world, handoff, endpoints, streams, database: Database::at(path), router, _folder: folder }
    }

    /// The API as another organization calls it.
    pub(crate) async fn stranger(&self) -> Client {
        let world = World::new(self.world.store.clone(), "stranger").await;
        client_of(&world, &self.router, |key| key).await
    }

    /// The API as `acme` calls it with a key that `change` made of one for everything. Its name is `changed` unless told.
    pub(crate) async fn with_key(&self, change: impl FnOnce(ApiKey) -> ApiKey) -> Client {
        client_of(&self.world, &self.router, |key| change(ApiKey { name: "changed".to_owned(), ..key })).await
    }

    /// The API as somebody calls it who sends this `Authorization`.
    pub(crate) fn presenting(&self, authorization: Option<&str>) -> Client {
        Client::new(self.router.clone(), authorization.map(str::to_owned))
    }

    /// Everything that is served.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// Turns the server's clock forward.
    pub(crate) fn pass(&self, seconds: i64) {
        self.world.clock.turn(SignedDuration::from_secs(seconds));
    }
}

async fn client_of(world: &World, router: &Router, change: impl FnOnce(ApiKey) -> ApiKey) -> Client {
    let text = ApiKeyText::generate(&*world.chance);
    let id = ApiKeyId::generate(world.now(), &*world.chance);
    let key = ApiKey::new(&text, id, world.organization, "tests".to_owned(), world.now());
    world.store.create_key(change(key)).await.unwrap();
    Client::new(router.clone(), Some(format!("Bearer {}", text.expose())))
}
