//! `serve`: the API and the delivery engine on one store, until a signal asks for the end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use clap::Args;
use preclinical_web::{App, Limits, StreamLimits, Streams};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{
    config::{Config, Overrides},
    connections, database,
    delivering::{DRAIN_MARGIN, Delivering, Sends},
    invitations::{self, Link},
    log,
    system::{SystemChance, SystemClock},
    terminal::say,
    worker,
};

/// What `serve` can be told on the command line; each is also a setting of the environment.
#[derive(Args)]
#[command(after_help = SETTINGS_AND_EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on [default: 127.0.0.1:3000] [env: PRECLINICAL_LISTEN]
    #[arg(long)]
    listen: Option<String>,
    /// Database: a path, sqlite:PATH or postgres://… [default: a file in the platform's data folder] [env: PRECLINICAL_DATABASE_URL]
    #[arg(long)]
    database: Option<String>,
    /// Address under which people reach this server [default: the one it listens on] [env: PRECLINICAL_PUBLIC_URL]
    #[arg(long)]
    public_url: Option<String>,
    /// Leave deliveries to workers and other nodes on the same PostgreSQL; only test deliveries are sent
    #[arg(long)]
    no_delivery: bool,
}

macro_rules! settings {
    () => {
        "Settings of the environment (an unknown PRECLINICAL_ name or a value that makes no sense stops the start):
  PRECLINICAL_RETRY_SCHEDULE   waits before the retries                        [default: 1m,5m,30m]
  PRECLINICAL_REQUEST_TIMEOUT  limit of an attempt as a whole, 1s to 60s       [default: 15s]
  PRECLINICAL_LEASE_MARGIN     time to record an attempt after it, 5s to 60s   [default: 30s]
  PRECLINICAL_RETENTION        how long ended deliveries stay, 0 = for ever    [default: 90d]
  PRECLINICAL_DISABLE_AFTER    how long a webhook may only fail, or off        [default: 5d]
  PRECLINICAL_DISABLE_MIN_FAILED  and how many deliveries fail for good in it  [default: 10]
  PRECLINICAL_ALLOW_CIDRS      private ranges that may be called, by commas    [default: none]
  PRECLINICAL_DENY_CIDRS       public ranges that may not be called            [default: none]
  PRECLINICAL_ALLOW_PORTS      the only ports that may be called, by commas    [default: of HTTP]
  PRECLINICAL_PROXY_URL        http://[USER:PASSWORD@]HOST:PORT to send through [default: none]
  PRECLINICAL_HTTPS_ONLY       true refuses webhooks without TLS               [default: false]
  PRECLINICAL_RATE_LIMIT       calls a second of one API key, 0 = no limit     [default: 1000]
  PRECLINICAL_MASTER_KEY       base64 of 32 bytes, seals secrets in the database
  PRECLINICAL_MASTER_KEY_FILE  a file with it, created if missing              [default: DATABASE.key]
  PRECLINICAL_LOG              level, or target=level by commas                [default: info]"
    };
}

/// The settings of every process that sends.
pub(crate) const SETTINGS: &str = settings!();

const SETTINGS_AND_EXAMPLES: &str = concat!(
    settings!(),
    "

Examples:
  preclinical-webhooks serve --listen 0.0.0.0:3000 --public-url https://webhooks.example.com
  PRECLINICAL_ALLOW_CIDRS=127.0.0.0/8 preclinical-webhooks serve --database sqlite:try.db"
);

/// Serves until SIGINT or SIGTERM, then drains; a second signal does not wait for that.
pub(crate) fn run(args: ServeArgs) -> anyhow::Result<()> {
    let overrides = Overrides { listen: args.listen, database: args.database, public_url: args.public_url };
    let config = Config::load(overrides)?;
    let sends = if args.no_delivery { Sends::Tests } else { Sends::WhatIsDue };
    if sends == Sends::Tests {
        worker::refuse_embedded(&config, "serve --no-delivery")?;
    }
    log::start(config.log.clone());
    Runtime::new()?.block_on(serve(config, sends))
}

async fn serve(config: Config, sends: Sends) -> anyhow::Result<()> {
    let server = Server::start(config, sends).await?;
    // Whoever reads that it listens may end it.
    let signal = next_signal()?;
    announce(&server);
    signal.await?;
    until_stopped(server.stop()).await
}

/// Waits for an orderly end, unless a signal asks for it again.
pub(crate) async fn until_stopped(stopping: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::select! {
        stopped = stopping => stopped,
        again = wait_for_signal() => again.and_then(|()| bail!("ended at once; attempts under way are repeated after the next start")),
    }
}

/// A running server. `demo` has one, too.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// While the organization `default` has no owner.
    pub(crate) setup: Option<Link>,
    delivering: Delivering,
    http: tokio::task::JoinHandle<()>,
    streams: Arc<Streams>,
    stop: tokio::sync::oneshot::Sender<()>,
}

impl Server {
    /// Opens the store, takes over what a dead process left, and begins to serve.
    pub(crate) async fn start(config: Config, sends: Sends) -> anyhow::Result<Self> {
        let store = database::serve(&config).await?;
        let listener =
            TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
        let address = listener.local_addr()?;
        let public_url = config.base(address);
        let setup = invitations::set_up(&*store, &public_url).await?;
        let (delivering, prober) = Delivering::start(&store, &config, &public_url, sends).await?;
        let streams = Streams::new(StreamLimits::default());
        tokio::spawn(Arc::clone(&streams).run());
        let app = App {
            store,
            handoff: delivering.handoff(),
            prober,
            clock: Arc::new(SystemClock),
            chance: Arc::new(SystemChance),
            endpoints: config.endpoints,
            public_url,
            schedule: config.schedule,
            request_timeout: config.request_timeout,
            patience: config.patience,
            limits: Limits { rate: config.rate_limit, call: longest_call(config.request_timeout), ..Limits::default() },
            streams: Arc::clone(&streams),
        };
        let router = preclinical_web::router(Arc::new(app));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let http = tokio::spawn(async move {
            let stopped = async move { drop(stopped.await) };
            connections::serve(listener, router, stopped).await;
        });
        Ok(Self { address, setup, delivering, http, streams, stop })
    }

    /// Takes no new connections, lets requests and attempts end within the drain limit, and leaves the rest to whoever comes next.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.stop);
        self.streams.close();
        let requests = tokio::time::timeout(self.delivering.drain_limit(), &mut self.http);
        let (answered, ()) = tokio::join!(requests, self.delivering.stop());
        self.http.abort();
        match answered {
            Ok(served) => served.context("the listener failed"),
            Err(_) => Ok(()),
        }
    }
}

/// A call that looks at an agent's endpoint makes two requests.
fn longest_call(request_timeout: Duration) -> Duration {
    Limits::default().call.max(2 * request_timeout + DRAIN_MARGIN)
}

fn announce(server: &Server) {
    say(format_args!("listening on http://{}", server.address));
    if let Some(link) = &server.setup {
        say(format_args!("set up: {}  ({})", link.url(), invitations::terms()));
    }
}

/// Resolves on SIGINT or SIGTERM.
pub(crate) async fn wait_for_signal() -> anyhow::Result<()> {
    next_signal()?.await
}

/// Resolves on the first SIGINT or SIGTERM from this call on, whenever it is awaited.
#[cfg(unix)]
pub(crate) fn next_signal() -> anyhow::Result<impl Future<Output = anyhow::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}

/// Resolves on Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn next_signal() -> anyhow::Result<impl Future<Output = anyhow::Result<()>>> {
    Ok(async { Ok(tokio::signal::ctrl_c().await?) })
}
