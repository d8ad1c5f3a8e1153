//! The sink: a receiver that does what a good one does, as fast as it can, and keeps count.
//!
//! It verifies both signatures of every request, tells repeated `webhook-id`s from new ones and notes when the first byte
//! of each request came in. It answers 200 to what is right and 401 to what is not.

mod ledger;
mod stamped;
mod verify;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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

pub(crate) use self::ledger::Stats;
use self::{
    ledger::Ledger,
    stamped::{Arrival, Stamped},
};
use crate::system;

/// Where webhooks go.
pub(crate) const PATH: &str = "/webhook";

struct Sink {
    secret: SigningSecret,
    ledger: Mutex<Ledger>,
    reached: Notify,
    holding: watch::Sender<bool>,
}

/// Serves until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, secret: SigningSecret) -> std::io::Result<()> {
    let sink = Arc::new(Sink {
        secret,
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

    async fn receive(&self, head: &http::request::Parts, body: &Bytes, first_byte: i64) -> Response<Full<Bytes>> {
        if *self.holding.borrow() {
            self.ledger().hold();
            // Dropped here when the sender goes away.
            let _ = self.holding.subscribe().wait_for(|holding| !holding).await;
            return empty(StatusCode::SERVICE_UNAVAILABLE);
        }
        let verdict = verify::verify(&self.secret, &head.headers, body);
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
