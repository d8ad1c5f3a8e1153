//! The product: its release binary as a process, on a database of its own, with everything as durable as people get it.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{client::Api, ground::Ground, load, process::Server, sample};

/// The longest timeout an attempt can have, so that a sink which holds requests is not given up.
const REQUEST_TIMEOUT: &str = "60s";

/// How often the history is asked whether something is pending; asking more often would be work that nobody else does.
const GLANCE: Duration = Duration::from_millis(5);

/// A page of the history at its longest.
const PAGE: usize = 100;

/// A database, its key, and the binary that serves it.
pub(crate) struct Product {
    binary: PathBuf,
    folder: PathBuf,
    database: String,
    key: String,
    connections: usize,
    request_timeout: &'static str,
}

/// Runs that can be completed, and the webhook that hears of it.
pub(crate) struct Prepared {
    pub(crate) webhook: String,
    pub(crate) runs: Vec<String>,
}

/// A product that serves.
pub(crate) struct Serving {
    pub(crate) server: Server,
    pub(crate) api: Api,
}

impl Product {
    /// A new database on that ground, with a key.
    pub(crate) async fn create(binary: &Path, ground: &Ground, connections: usize) -> anyhow::Result<Self> {
        let mut product = Self {
            binary: binary.to_owned(),
            folder: ground.folder().to_owned(),
            database: ground.database(),
            key: String::new(),
            connections,
            request_timeout: REQUEST_TIMEOUT,
        };
        let output = product.command(&["keys", "create", "--name", "bench"]).output().await?;
        ensure!(output.status.success(), "keys create failed: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout)?.trim().clone_into(&mut product.key);
        Ok(product)
    }

    /// The same with another deadline of attempts.
    pub(crate) fn with_request_timeout(self, request_timeout: &'static str) -> Self {
        Self { request_timeout, ..self }
    }

    /// Starts it. Its log goes to a file, as a service's log does.
    pub(crate) async fn serve(&self) -> anyhow::Result<Serving> {
        self.start(&[]).await
    }

    /// Starts it as a server that leaves what is due to others, which only PostgreSQL has.
    pub(crate) async fn serve_without_delivery(&self) -> anyhow::Result<Serving> {
        self.start(&["--no-delivery"]).await
    }

    async fn start(&self, more: &[&str]) -> anyhow::Result<Serving> {
        let log = File::options().create(true).append(true).open(self.folder.join("server.log"))?;
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.args(more).stderr(Stdio::from(log));
        let started = Server::start(&mut command).await;
        let server = started.with_context(|| std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default())?;
        let api = Api::new(&server.url, &self.key, self.connections)?;
        Ok(Serving { server, api })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PRECLINICAL_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .env("PRECLINICAL_DATABASE_URL", &self.database)
            .env("PRECLINICAL_MASTER_KEY_FILE", self.folder.join("master.key"))
            .env("PRECLINICAL_ALLOW_CIDRS", "127.0.0.0/8")
            .env("PRECLINICAL_RATE_LIMIT", "0")
            .env("PRECLINICAL_REQUEST_TIMEOUT", self.request_timeout)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Creates an agent with a webhook to `url` of its own, and `count` running runs of it.
    pub(crate) async fn prepare(&self, api: &Api, url: &str, count: usize) -> anyhow::Result<Prepared> {
        let name = sample::agent_name(sample::run_id().uuid());
        let agent = api.create("/api/v1/agents", &json!({"provider": "openai", "name": name, "config": {}})).await?;
        let secret = sample::secret()?;
        let webhook = json!({"url": url, "secret": secret.expose(), "agent_id": agent});
        let webhook = api.create("/api/v1/webhooks", &webhook).await?;
        let runs = Arc::new(Mutex::new(Vec::with_capacity(count)));
        let (api, created) = (api.clone(), Arc::clone(&runs));
        load::closed(count, self.connections, move |_| {
            let (api, created) = (api.clone(), Arc::clone(&created));
            let run = json!({"agent_id": agent, "name": sample::RUN_NAME});
            async move {
                let id = api.create("/api/v1/runs", &run).await?;
                created.lock().unwrap_or_else(PoisonError::into_inner).push(id);
                Ok(())
            }
        })
        .await?;
        let runs = std::mem::take(&mut *runs.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Prepared { webhook, runs })
    }
}

impl Serving {
    /// Returns when the history shows no delivery to that webhook that is pending.
    pub(crate) async fn nothing_pending(&self, webhook: &str) -> anyhow::Result<()> {
        let path = format!("/api/v1/webhooks/deliveries?webhook_id={webhook}&status=pending&limit=1");
        loop {
            let page = self.api.get(&path).await?;
            if deliveries(&page)?.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Checks that the history holds exactly `expected` deliveries to that webhook and shows all of them as delivered.
    pub(crate) async fn check_history(&self, webhook: &str, expected: usize) -> anyhow::Result<()> {
        let (mut seen, mut cursor) = (0, String::new());
        loop {
            let page =
                self.api.get(&format!("/api/v1/webhooks/deliveries?webhook_id={webhook}&limit={PAGE}{cursor}")).await?;
            let deliveries = deliveries(&page)?;
            seen += deliveries.len();
            if let Some(other) = deliveries.iter().find(|delivery| delivery["status"] != "delivered") {
                bail!("the history shows a delivery that was not delivered: {other}");
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        ensure!(seen == expected, "the history holds {seen} deliveries instead of {expected}");
        Ok(())
    }
}

fn deliveries(page: &Value) -> anyhow::Result<&Vec<Value>> {
    page["deliveries"].as_array().context("a page of the history without deliveries")
}
