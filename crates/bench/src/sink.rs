//! The sink: a receiver that does what a good one does, as fast as it can, and keeps count.
//!
//! It verifies the signatures of every request, tells repeated webhooks from new ones and notes when the first byte of each request
//! came in. How one is verified is a matter of whose sink it is: the product's, or another sender's. It answers 200 to what is right and 401 to what is not.

mod ledger;
mod stamped;
mod verify;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use preclinical_core::secret::SigningSecret;
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
};

use self::{
    ledger::Ledger,
    stamped::{Arrival, Stamped},
};
pub(crate) use self::{
    ledger::Stats,
    verify::{Genuine, Verifier, run_of},
};
use crate::system;

/// Where webhooks go.
pub(crate) const PATH: &str = "/webhook";

/// Makes of a secret what checks by it.
pub(crate) type Verifiers = Box<dyn Fn(&str) -> anyhow::Result<Verifier> + Send + Sync>;

/// Checks the product's webhooks.
pub(crate) fn of_product() -> Verifiers {
    Box::new(|secret| {
        let secret = SigningSecret::parse(secret)?;
        Ok(Box::new(move |headers, body| verify::verify(&secret, headers, body)))
    })
}

struct Sink {
    verifiers: Verifiers,
    /// Missing until a secret is known.
    verifier: RwLock<Option<Verifier>>,
    ledger: Mutex<Ledger>,
    reached: Notify,
    holding: watch::Sender<bool>,
}

/// Serves until the task is dropped. Without a `secret` it is told one later.
pub(crate) async fn serve(listener: TcpListener, verifiers: Verifiers, secret: Option<&str>) -> anyhow::Result<()> {
    let verifier = secret.map(&verifiers).transpose()?;
    let sink = Arc::new(Sink {
        verifiers,
        verifier: RwLock::new(verifier),
        ledger: Mutex::new(Ledger::default()),
        reached: Notify::new(),
        holding: watch::Sender::new(false),
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(converse(Arc::clone(&sink), stream));
    }
}

async fn converse(sink: Arc<Sink>, stream: TcpStream) {
    let arrival = Arrival::default();
    let stream = TokioIo::new(Stamped::new(stream, arrival.clone()));
    let service = service_fn(move |request| {
        let (sink, arrival) = (Arc::clone(&sink), arrival.clone());
        async move { Ok::<_, Infallible>(sink.answer(request, &arrival).await) }
    });
    // A sender that was killed leaves its connections broken; what counts is in the ledger.
    let _ = http1::Builder::new().serve_connection(stream, service).await;
}

impl Sink {
    async fn answer(&self, request: Request<Incoming>, arrival: &Arrival) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return empty(StatusCode::BAD_REQUEST) };
        let (body, first_byte) = (body.to_bytes(), arrival.take().unwrap_or_else(system::now_us));
        match (&head.method, head.uri.path()) {
            (&Method::POST, PATH) => self.receive(&head, &body, first_byte).await,
            (&Method::GET, "/stats") => {
                let wanted = head.uri.query().and_then(|query| query.strip_prefix("distinct=")?.parse().ok());
                self.stats(wanted.unwrap_or(0)).await
            }
            (&Method::GET, "/arrivals") => json(&json!(self.ledger().arrivals())),
            (&Method::POST, "/secret") => {
                let told = self.expect_secret(&body);
                told.map_or_else(|_| empty(StatusCode::BAD_REQUEST), |()| json(&json!({})))
            }
            (&Method::POST, "/hold") => {
                self.holding.send_replace(true);
                json(&json!({}))
            }
            (&Method::POST, "/forget") => {
                *self.ledger() = Ledger::default();
                self.holding.send_replace(false);
                json(&json!({}))
            }
            _ => empty(StatusCode::NOT_FOUND),
        }
    }

    fn expect_secret(&self, body: &[u8]) -> anyhow::Result<()> {
        let secret: String = serde_json::from_slice(body)?;
        let verifier = (self.verifiers)(&secret)?;
        *self.verifier.write().unwrap_or_else(PoisonError::into_inner) = Some(verifier);
        Ok(())
    }

    async fn receive(&self, head: &http::request::Parts, body: &Bytes, first_byte: i64) -> Response<Full<Bytes>> {
        if *self.holding.borrow() {
            self.ledger().hold();
            // Dropped here when the sender goes away.
            let _ = self.holding.subscribe().wait_for(|holding| !holding).await;
            return empty(StatusCode::SERVICE_UNAVAILABLE);
        }
        let verdict = match &*self.verifier.read().unwrap_or_else(PoisonError::into_inner) {
            Some(verifier) => verifier(&head.headers, body),
            None => Err("nobody has said what it is signed with"),
        };
        let status = if verdict.is_ok() { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        if self.ledger().add(verdict, first_byte) {
            self.reached.notify_waiters();
        }
        empty(status)
    }

    /// The counts, once there are `distinct` webhooks or something is wrong.
    async fn stats(&self, distinct: usize) -> Response<Full<Bytes>> {
        loop {
            let reached = self.reached.notified();
            let stats = self.ledger().stats_at(distinct);
            if let Some(stats) = stats {
                return json(&json!(stats));
            }
            reached.await;
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn json(value: &serde_json::Value) -> Response<Full<Bytes>> {
    Response::new(Full::from(value.to_string()))
}
