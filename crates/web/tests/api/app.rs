//! The API of a fresh installation, and short ways to use it.

mod answer;
mod client;
mod database;
mod endpoints;
mod recorder;

use std::sync::Arc;

use axum::Router;
use jiff::SignedDuration;
use preclinical_core::{
    api_key::{ApiKey, ApiKeyText},
    endpoint::EndpointPolicy,
    id::ApiKeyId,
    port::Store,
};
use preclinical_store_sqlite::SqliteStore;
use preclinical_testkit::world::{PUBLIC_URL, World, vault};
use preclinical_web::App;
use tempfile::TempDir;

pub(crate) use self::{
    answer::{Answer, names},
    client::{Client, URL},
    database::Database,
    endpoints::Endpoints,
    recorder::Recorder,
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
    /// The store's file.
    pub(crate) database: Database,
    router: Router,
    _folder: TempDir,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open_exclusively(&path, vault()).unwrap());
        let world = World::new(store, "acme").await;
        let handoff = Recorder::new(world.clock.clone(), world.chance.clone());
        let endpoints = Endpoints::default();
        let router = preclinical_web::router(Arc::new(App {
            store: world.store.clone(),
            handoff: Arc::new(handoff.clone()),
            prober: Arc::new(endpoints.clone()),
            clock: world.clock.clone(),
            chance: world.chance.clone(),
            endpoints: EndpointPolicy::default(),
            public_url: PUBLIC_URL.to_owned(),
        }));
        let api = client_of(&world, &router).await;
        Self { api, world, handoff, endpoints, database: Database::at(path), router, _folder: folder }
    }

    /// The API as another organization calls it.
    pub(crate) async fn stranger(&self) -> Client {
        let world = World::new(self.world.store.clone(), "stranger").await;
        client_of(&world, &self.router).await
    }

    /// The API as somebody calls it who sends this `Authorization`.
    pub(crate) fn presenting(&self, authorization: Option<&str>) -> Client {
        Client::new(self.router.clone(), authorization.map(str::to_owned))
    }

    /// Turns the server's clock forward.
    pub(crate) fn pass(&self, seconds: i64) {
        self.world.clock.turn(SignedDuration::from_secs(seconds));
    }
}

async fn client_of(world: &World, router: &Router) -> Client {
    let text = ApiKeyText::generate(&*world.chance);
    let key = ApiKey {
        id: ApiKeyId::generate(world.now(), &*world.chance),
        organization_id: world.organization,
        name: "tests".to_owned(),
        hash: text.hash(),
        created_at: world.now(),
    };
    world.store.create_key(key).await.unwrap();
    Client::new(router.clone(), Some(format!("Bearer {}", text.expose())))
}
