//! The endpoints beside the healthy one: each a webhook of an agent of its own. They answer, until they hang.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, routing::any};
use serde_json::json;
use tokio::{task::JoinHandle, time::MissedTickBehavior};

use crate::{client::Api, load, process};

/// Calls at once that create them.
const CONNECTIONS: usize = 16;

/// All of them.
pub(super) struct Others {
    api: Api,
    agents: Arc<Vec<String>>,
    state: Arc<Open>,
    serving: JoinHandle<()>,
}

/// Runs of theirs that end at a steady pace.
pub(super) struct Load {
    is_over: Arc<AtomicBool>,
    pacing: JoinHandle<anyhow::Result<()>>,
}

#[derive(Default)]
struct Open {
    hangs: AtomicBool,
    now: AtomicUsize,
    most: AtomicUsize,
}

/// A request that has no answer yet.
struct Request<'a>(&'a Open);

impl<'a> Request<'a> {
    fn begin(open: &'a Open) -> Self {
        let now = open.now.fetch_add(1, Ordering::Relaxed) + 1;
        open.most.fetch_max(now, Ordering::Relaxed);
        Self(open)
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn answer(State(open): State<Arc<Open>>) {
    let _request = Request::begin(&open);
    if open.hangs.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

impl Others {
    /// Creates them, answering.
    pub(super) async fn start(api: &Api, count: u32) -> anyhow::Result<Self> {
        let (listener, state) = (process::listen().await?, Arc::<Open>::default());
        let address = listener.local_addr()?;
        let router = Router::new().route("/{number}", any(answer)).with_state(Arc::clone(&state));
        let serving = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        let agents = Arc::new(Mutex::new(Vec::new()));
        let (creating, created) = (api.clone(), Arc::clone(&agents));
        load::closed(count as usize, CONNECTIONS, move |number| {
            let (api, created) = (creating.clone(), Arc::clone(&created));
            async move {
                let agent = create(&api, number, address).await?;
                created.lock().unwrap_or_else(PoisonError::into_inner).push(agent);
                Ok(())
            }
        })
        .await?;
        let agents = std::mem::take(&mut *agents.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Self { api: api.clone(), agents: Arc::new(agents), state, serving })
    }

    /// From now on none of them answers.
    pub(super) fn hang(&self) {
        self.state.hangs.store(true, Ordering::Relaxed);
    }

    /// How many requests were without an answer at once, at most.
    pub(super) fn most_open(&self) -> usize {
        self.state.most.load(Ordering::Relaxed)
    }

    /// Ends runs of theirs, so many a second, in turns.
    pub(super) fn load(&self, a_second: u32) -> Load {
        let (api, agents, is_over) = (self.api.clone(), Arc::clone(&self.agents), Arc::new(AtomicBool::new(false)));
        let stop = Arc::clone(&is_over);
        let pacing = tokio::spawn(async move {
            let mut pace = tokio::time::interval(Duration::from_secs(1) / a_second);
            pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
            let mut calls = tokio::task::JoinSet::new();
            for agent in agents.iter().cycle() {
                pace.tick().await;
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let (api, run) = (api.clone(), json!({"agent_id": agent}));
                calls.spawn(async move { api.complete(&api.create("/api/v1/runs", &run).await?).await });
                while let Some(ended) = calls.try_join_next() {
                    ended??;
                }
            }
            calls.join_all().await.into_iter().collect()
        });
        Load { is_over, pacing }
    }
}

async fn create(api: &Api, number: usize, address: SocketAddr) -> anyhow::Result<String> {
    let agent = json!({"provider": "openai", "name": format!("Other {number}"), "config": {}});
    let agent = api.create("/api/v1/agents", &agent).await?;
    let url = format!("http://{address}/{number}");
    api.create("/api/v1/webhooks", &json!({"url": url, "agent_id": agent})).await?;
    Ok(agent)
}

impl Drop for Others {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Load {
    /// Ends no more runs.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        self.is_over.store(true, Ordering::Relaxed);
        self.pacing.await?
    }
}
