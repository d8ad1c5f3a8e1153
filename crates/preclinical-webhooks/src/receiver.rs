//! A receiver of webhooks on this machine: verifies each request, answers as it is told to, and reports what came.

mod check;
mod script;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use jiff::Timestamp;
use preclinical_core::{clock::Clock, secret::SigningSecret};
use tokio::{net::TcpListener, sync::mpsc};

pub(crate) use check::{Check, Checks};
pub(crate) use script::Script;

use crate::system::SystemClock;

/// The longest body that is taken, in bytes; far more than a webhook ever has.
const LONGEST_BODY: usize = 1024 * 1024;

/// Requests that may wait to be looked at before senders have to wait, too.
const BACKLOG: usize = 1024;

/// How a receiver behaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manners {
    /// The secret that signatures are checked with.
    pub(crate) secret: Option<SigningSecret>,
    /// Which requests are answered with a failure.
    pub(crate) script: Script,
    /// How long every answer takes.
    pub(crate) delay: Duration,
}

/// A request that came, and what it was answered.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) at: Timestamp,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) checks: Checks,
    pub(crate) answered: StatusCode,
}

struct Behaviour {
    secret: Option<SigningSecret>,
    delay: Duration,
    script: Mutex<Script>,
    received: mpsc::Sender<Received>,
}

/// Serves on `listener` in the background for as long as the process lives; what comes in goes through the channel.
pub(crate) fn serve(listener: TcpListener, manners: Manners) -> std::io::Result<(SocketAddr, mpsc::Receiver<Received>)> {
    let address = listener.local_addr()?;
    let (received, incoming) = mpsc::channel(BACKLOG);
    let Manners { secret, script, delay } = manners;
    let behaviour = Behaviour { secret, delay, script: Mutex::new(script), received };
    let router = Router::new().fallback(receive).with_state(Arc::new(behaviour));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((address, incoming))
}

async fn receive(State(behaviour): State<Arc<Behaviour>>, request: Request<Body>) -> StatusCode {
    let (head, body) = request.into_parts();
    if head.method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let Ok(body) = Limited::new(body, LONGEST_BODY).collect().await else { return StatusCode::PAYLOAD_TOO_LARGE };
    let (at, body) = (SystemClock.now(), body.to_bytes());
    let checks = Checks::of(behaviour.secret.as_ref(), &head.headers, &body, at);
    let scripted = behaviour.script.lock().unwrap_or_else(PoisonError::into_inner).next();
    let verdict = if checks.pass() { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
    let answered = scripted.unwrap_or(verdict);
    tokio::time::sleep(behaviour.delay).await;
    let received = Received { at, headers: head.headers, body, checks, answered };
    // Nobody listens any more when the command is ending.
    let _ = behaviour.received.send(received).await;
    answered
}
