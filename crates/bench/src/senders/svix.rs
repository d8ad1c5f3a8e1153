//! The common self-hosted sender: Svix server, which stands on PostgreSQL and Redis. It is no part of this repository; its program has to
//! be there already.
//!
//! It is set as its own documentation and its own composition of containers have it, and tuned in its favour, but for durability.

use std::{
    ffi::OsStr,
    fs::File,
    num::NonZero,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use http_body_util::Full;
use preclinical_core::{event::EventKind, id::RunId, secret::SigningSecret, signature};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
};

use super::{Sender, Started};
use crate::{
    client::Api,
    ground::{Ground, Store},
    process::{self, Server},
    sample,
    sink::{self, Genuine, Verifier},
};

/// Where its program is, if not in `PATH`.
const SVIX_SERVER: &str = "SVIX_SERVER";

/// What its Redis keeps, as in its own composition of containers. That is generous to it: what it accepts is in PostgreSQL at once, but
/// that it is to be sent is on the disk up to a second later.
const REDIS: [&str; 6] = ["--save", "60 500", "--appendonly", "yes", "--appendfsync", "everysec"];

/// How many connections to PostgreSQL and how many webhooks under way it may have: for each core, and at most, which is what it has by
/// itself. On few cores that is far too much for it.
const CONNECTIONS: (usize, usize) = (8, 100);
const TASKS: (usize, usize) = (25, 500);

/// What its tokens are signed with.
const JWT_SECRET: &str = "benchmark-secret-of-the-tokens";

/// What its program says before a token.
const TOKEN: &str = "Token (Bearer): ";

/// Its driver.
pub(super) struct Svix;

#[async_trait]
impl Sender for Svix {
    fn name(&self) -> &'static str {
        "svix"
    }

    async fn start(&self, folder: &Path, sink: &str) -> anyhow::Result<Started> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let programs = Programs::find(std::env::var_os(SVIX_SERVER).as_deref(), &path)?;
        let redis = programs.redis(folder).await?;
        let ground = Ground::new(Store::Postgres, folder).await?;
        let address = format!("127.0.0.1:{}", free_port().await?);
        let command = || {
            let mut command = Command::new(&programs.svix);
            environment(&mut command, folder, &address, &ground.database(), &redis.url);
            command
        };

        let output = command().args(["jwt", "generate"]).output().await.context("cannot run svix-server")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let key = said.lines().find_map(|line| line.strip_prefix(TOKEN)).context("svix-server makes no token")?;
        let api = Api::new(&format!("http://{address}"), key, 1)?;
        let log = folder.join("svix.log");
        let mut server = command();
        server.arg("--run-migrations").stdout(File::create(&log)?).stderr(File::options().append(true).open(&log)?);
        let is_healthy = || async { api.get("/api/v1/health").await.is_ok() };
        let started = Server::start_and_ask(&mut server, format!("http://{address}"), is_healthy).await;
        let server = started.with_context(|| std::fs::read_to_string(&log).unwrap_or_default())?;

        let application = api.create("/api/v1/app", &json!({"name": "Benchmark"})).await?;
        let endpoints = format!("/api/v1/app/{application}/endpoint");
        api.create(&endpoints, &json!({"url": sink, "secret": sample::SECRET})).await?;
        Ok(Started {
            base: format!("{}/api/v1/app/{application}", server.url),
            secret: sample::SECRET.to_owned(),
            key: key.to_owned(),
            server: Some(server),
            beside: vec![redis],
            ground: Some(ground),
        })
    }

    fn event(&self, started: &Started, run: RunId) -> anyhow::Result<Request<Full<Bytes>>> {
        // The payload as it is, so that what is sent has the same bytes as the product's webhook; it need not be answered with it.
        let start = format!(r#"{{"eventType":"{}","payload":"#, EventKind::TestRunCompleted.as_str());
        let body = [start.as_bytes(), &sample::body(run)?, b"}"].concat();
        Ok(Request::builder()
            .method(Method::POST)
            .uri(format!("{}/msg?with_content=false", started.base))
            .header(header::AUTHORIZATION, format!("Bearer {}", started.key))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body))?)
    }

    fn verifier(&self, secret: &str) -> anyhow::Result<Verifier> {
        ensure!(!secret.is_empty(), "a secret is missing");
        let secret = SigningSecret::parse(secret)?;
        Ok(Box::new(move |headers, body| verify(&secret, headers, body)))
    }
}

fn verify(secret: &SigningSecret, headers: &HeaderMap, body: &[u8]) -> Result<Genuine, &'static str> {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let id = value("svix-id").ok_or("it has no svix-id")?;
    let timestamp = value("svix-timestamp").ok_or("it has no svix-timestamp")?;
    let given = value("svix-signature").ok_or("it has no svix-signature")?;
    if !signature::verify_standard(secret, id, timestamp, body, given) {
        return Err("its svix-signature is wrong");
    }
    Ok(Genuine { webhook_id: id.to_owned(), run: sink::run_of(body)? })
}

/// The programs that are started here; PostgreSQL's are found elsewhere.
#[derive(Debug)]
struct Programs {
    svix: PathBuf,
    redis: PathBuf,
}

impl Programs {
    /// Those in `path`, but for that of the sender if it was `given`.
    fn find(given: Option<&OsStr>, path: &OsStr) -> anyhow::Result<Self> {
        let found = |name: &str| std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file());
        let svix = match given {
            Some(given) => Some(PathBuf::from(given)).filter(|file| file.is_file()),
            None => found("svix-server"),
        };
        let svix = svix.with_context(|| format!("there is no svix-server in PATH, or where {SVIX_SERVER} says"))?;
        let redis = found("redis-server").context("there is no redis-server in PATH, which svix-server needs")?;
        // It runs in a folder of its own.
        Ok(Self { svix: std::path::absolute(svix)?, redis })
    }

    async fn redis(&self, folder: &Path) -> anyhow::Result<Server> {
        let port = free_port().await?;
        let mut command = Command::new(&self.redis);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--logfile", "redis.log", "--dir"]);
        command.arg(folder).args(REDIS).current_dir(folder);
        let is_ready = || async move { answers_ping(port).await.unwrap_or(false) };
        Server::start_and_ask(&mut command, format!("redis://127.0.0.1:{port}"), is_ready).await
    }
}

/// How it is set: what it must know, that it may send to this machine, what makes it faster, and its defaults.
fn environment(command: &mut Command, folder: &Path, address: &str, database: &str, redis: &str) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SVIX_") {
            command.env_remove(name);
        }
    }
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    command
        // It reads settings from files where it is started.
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .env("SVIX_LISTEN_ADDRESS", address)
        .env("SVIX_DB_DSN", database)
        .env("SVIX_REDIS_DSN", redis)
        .env("SVIX_QUEUE_TYPE", "redis")
        // Recommended where there is one instance.
        .env("SVIX_CACHE_TYPE", "memory")
        .env("SVIX_DB_POOL_MAX_SIZE", on_cores(cores, CONNECTIONS))
        .env("SVIX_WORKER_MAX_TASKS", on_cores(cores, TASKS))
        .env("SVIX_JWT_SECRET", JWT_SECRET)
        .env("SVIX_WHITELIST_SUBNETS", "[127.0.0.0/8]")
        .kill_on_drop(true);
}

/// Never fewer than it accepts.
fn on_cores(cores: usize, (each, most): (usize, usize)) -> String {
    cores.saturating_mul(each).clamp(10, most).to_string()
}

async fn answers_ping(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).await?;
    Ok(&answer == b"+PONG\r\n")
}

/// A port that nobody listens at; who wants it has to be quick.
async fn free_port() -> std::io::Result<u16> {
    Ok(process::listen().await?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http_body_util::BodyExt;
    use serde_json::Value;

    use super::*;

    #[tokio::test]
    async fn an_event_is_a_message_with_the_bytes_of_the_products_webhook() {
        let base = "http://127.0.0.1:1/api/v1/app/app_1".to_owned();
        let (started, run) = (Started { base, key: "token".to_owned(), ..Started::default() }, sample::run_id());
        let (head, body) = Svix.event(&started, run).unwrap().into_parts();
        assert_eq!((head.method, head.uri.path()), (Method::POST, "/api/v1/app/app_1/msg"));
        let header = |name| head.headers.get(name).map(HeaderValue::as_bytes);
        assert_eq!(header(header::AUTHORIZATION), Some(&b"Bearer token"[..]));
        assert_eq!(header(header::CONTENT_TYPE), Some(&b"application/json"[..]));
        let message: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
        assert_eq!(message["eventType"], "test_run_completed");
        assert_eq!(message["payload"]["test_run"]["id"], run.to_string());
    }

    #[test]
    fn what_it_signs_is_genuine_and_nothing_else_is() {
        let (run, secret) = (sample::run_id(), sample::secret().unwrap());
        let (body, verifier) = (sample::body(run).unwrap(), Svix.verifier(sample::SECRET).unwrap());
        let headers = |signed: &[u8]| -> HeaderMap {
            let signature = signature::standard(std::slice::from_ref(&secret), "msg_1", 1_700_000_000, signed);
            [("svix-id", "msg_1"), ("svix-timestamp", "1700000000"), ("svix-signature", &signature)]
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
                .into_iter()
                .collect()
        };
        let right = headers(&body);
        assert_eq!(verifier(&right, &body), Ok(Genuine { webhook_id: "msg_1".to_owned(), run: run.uuid() }));
        assert!(verifier(&headers(b"something else"), &body).is_err());
        for (name, other) in [("svix-id", "msg_2"), ("svix-timestamp", "1700000001"), ("svix-signature", "v1,AAAA")] {
            let mut wrong = right.clone();
            wrong.insert(name, HeaderValue::from_static(other));
            assert!(verifier(&wrong, &body).is_err(), "another {name}");
            wrong.remove(name);
            assert!(verifier(&wrong, &body).is_err(), "no {name}");
        }
        assert!(verifier(&headers(b"{}"), b"{}").is_err(), "no run");
        assert!(Svix.verifier("").is_err(), "no secret");
    }

    #[test]
    fn few_cores_have_little_at_once_and_many_no_more_than_is_usual() {
        let of = |cores| [CONNECTIONS, TASKS].map(|limits| on_cores(cores, limits));
        assert_eq!([of(1), of(2), of(64)], [["10", "25"], ["16", "50"], ["100", "500"]]);
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let program = |name: &str| File::create(folder.path().join(name)).map(|_| folder.path().join(name)).unwrap();
        let find = |given: Option<&Path>| Programs::find(given.map(Path::as_os_str), folder.path().as_os_str());
        let missing = |given: Option<&Path>| find(given).unwrap_err().to_string();
        assert!(missing(None).contains("svix-server in PATH, or where SVIX_SERVER says"));
        let elsewhere = program("elsewhere");
        assert!(missing(Some(&elsewhere)).contains("redis-server"));
        let redis = program("redis-server");
        let found = find(Some(&elsewhere)).unwrap();
        assert_eq!((found.svix, found.redis), (elsewhere, redis));
        assert!(missing(None).contains("svix-server"));
        let svix = program("svix-server");
        assert_eq!(find(None).unwrap().svix, svix);
        assert!(missing(Some(Path::new("nowhere"))).contains("svix-server"), "what was given and is not there");
    }
}
