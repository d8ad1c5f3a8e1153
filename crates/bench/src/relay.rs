//! The bare relay: takes the product's completion request and sends the product's webhook, and stores nothing.
//!
//! It is what the product would be without a promise: the same server and client libraries, the same bytes in and out, the same
//! bound on requests under way. What is beyond that bound waits in memory.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::post,
};
use http::{HeaderMap, StatusCode, Uri, header};
use preclinical_core::{clock::Clock, id::RunId, request, secret::SigningSecret, tally::Tally};
use serde::Deserialize;
use tokio::{net::TcpListener, sync::Semaphore};
use uuid::Uuid;

use crate::{
    client::{HttpClient, IDLE_PER_HOST},
    sample,
    system::SystemClock,
    terminal,
};

/// Requests under way at once: more than the load generator has connections, so that it waits for nothing.
const PLACES: usize = 512;

struct Relay {
    authorization: String,
    secret: SigningSecret,
    url: String,
    sink: Uri,
    client: HttpClient,
    places: Arc<Semaphore>,
    last_number: AtomicU32,
}

#[derive(Deserialize)]
struct Completion {
    status: String,
    passed_count: u32,
    failed_count: u32,
    error_count: u32,
    total_scenarios: u32,
}

/// Serves until the task is dropped; webhooks go to `url`.
pub(crate) async fn serve(listener: TcpListener, url: String, key: &str, secret: SigningSecret) -> anyhow::Result<()> {
    let relay = Relay {
        authorization: format!("Bearer {key}"),
        secret,
        sink: url.parse()?,
        url,
        client: HttpClient::new(IDLE_PER_HOST),
        places: Arc::new(Semaphore::new(PLACES)),
        last_number: AtomicU32::new(0),
    };
    let router = Router::new().route("/api/v1/runs/{id}/complete", post(complete)).with_state(Arc::new(relay));
    Ok(axum::serve(listener, router).await?)
}

async fn complete(
    State(relay): State<Arc<Relay>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Json(completion): Json<Completion>,
) -> StatusCode {
    if headers.get(header::AUTHORIZATION).is_none_or(|given| given != relay.authorization.as_str()) {
        return StatusCode::UNAUTHORIZED;
    }
    if completion.status != "completed" {
        return StatusCode::BAD_REQUEST;
    }
    let tally = Tally {
        passed: completion.passed_count,
        failed: completion.failed_count,
        error: completion.error_count,
        total: completion.total_scenarios,
    };
    tokio::spawn(relay.send(RunId::from_uuid(id), tally));
    StatusCode::OK
}

impl Relay {
    fn send(self: Arc<Self>, run: RunId, tally: Tally) -> impl Future<Output = ()> {
        let number = self.last_number.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            let Ok(_place) = self.places.acquire().await else { return };
            let claimed = sample::claimed(run, number, tally, &self.url, &self.secret);
            let webhook = request::build(&claimed, SystemClock.now());
            if let Err(error) = self.client.deliver(&self.sink, &webhook).await {
                terminal::say_aside(format_args!("the relay lost a webhook: {error:#}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        client::Api,
        load, process,
        sink::{self, Stats},
    };

    const KEY: &str = "sk_live_key";

    /// A sink and a relay to it in this process: how to ask the one, and where the other is.
    async fn stage() -> (Api, String) {
        let (sink, relay) = (process::listen().await.unwrap(), process::listen().await.unwrap());
        let urls = [&sink, &relay].map(|listener| format!("http://{}", listener.local_addr().unwrap()));
        let (secret, to) = (sample::secret().unwrap(), format!("{}{}", urls[0], sink::PATH));
        tokio::spawn(sink::serve(sink, sink::of_product(), Some(sample::SECRET)));
        tokio::spawn(async move { serve(relay, to, KEY, secret).await });
        let [sink, relay] = urls;
        (Api::new(&sink, "", 1).unwrap(), relay)
    }

    #[tokio::test]
    async fn every_completion_becomes_one_webhook_that_the_sink_finds_genuine() {
        let (sink, relay) = stage().await;
        let relay = Api::new(&relay, KEY, 8).unwrap();
        load::closed(100, 8, move |_| {
            let relay = relay.clone();
            async move { relay.complete(&sample::run_id().to_string()).await }
        })
        .await
        .unwrap();
        let stats = sink.get("/stats?distinct=100").await.unwrap();
        serde_json::from_value::<Stats>(stats).unwrap().judge(100).unwrap();
    }

    #[tokio::test]
    async fn a_stranger_is_refused() {
        let (_sink, relay) = stage().await;
        let stranger = Api::new(&relay, "sk_live_other", 1).unwrap();
        let refusal = stranger.complete(&sample::run_id().to_string()).await.unwrap_err();
        assert!(format!("{refusal:#}").contains("401"));
    }
}
