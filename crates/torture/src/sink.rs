//! The receiver of the webhooks. It keeps its book outside of what is broken.
//!
//! What arrives completely is written down before it is answered, with the answer that it is going to get.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use preclinical_core::{request::header, secret::SigningSecret, signature};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// What every webhook is signed with.
pub const SECRET: &str = "whsec_dG9ydHVyZS1zZWNyZXQtb2YtMzItYnl0ZXMtISEhISE=";

/// How the receiver behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It answers 200 at once.
    Good,
    /// It answers 200 after that time.
    Slow(Duration),
    /// Of the first requests of each delivery one in ten is refused with 503, one in twenty cut off without an answer, and some
    /// are slow. All others are answered with 200 at once. Which ones follows from the delivery's id.
    Moody,
    /// It never answers.
    Silent,
}

/// One request that arrived completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The delivery's id, from `X-Preclinical-Delivery`.
    pub delivery: String,
    /// The run that the body tells of.
    pub run: String,
    /// A hash of the body without what differs from attempt to attempt.
    pub content: [u8; 32],
    /// What it was answered; `None` if with nothing.
    pub answer: Option<u16>,
}

/// All that arrived so far.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// In the order of arrival.
    pub arrivals: Vec<Arrival>,
    /// What was wrong with requests that nobody of ours could have sent.
    pub forged: Vec<String>,
}

/// The receiver; it ends when it is dropped.
pub struct Sink {
    /// Where webhooks go.
    pub url: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    secret: SigningSecret,
    manner: watch::Sender<Manner>,
    book: Mutex<Book>,
    seen: Mutex<HashMap<String, usize>>,
    arrived: watch::Sender<usize>,
}

impl Sink {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start(manner: Manner) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/webhook", listener.local_addr()?);
        let state = Arc::new(State {
            secret: SigningSecret::parse(SECRET)?,
            manner: watch::Sender::new(manner),
            book: Mutex::default(),
            seen: Mutex::default(),
            arrived: watch::Sender::new(0),
        });
        let serving = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&serving);
                let service = service_fn(move |request| answer(Arc::clone(&state), request));
                // A sender that was killed leaves its connections broken; what counts is in the book.
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Self { url, state, task })
    }

    /// Behaves so from now on; requests that it is silent to are answered then.
    pub fn behave(&self, manner: Manner) {
        self.state.manner.send_replace(manner);
    }

    /// All that arrived so far.
    pub fn book(&self) -> Book {
        lock(&self.state.book).clone()
    }

    /// Returns when that many requests have arrived in all.
    pub async fn until_arrived(&self, count: usize) {
        let _ = self.state.arrived.subscribe().wait_for(|arrived| *arrived >= count).await;
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let (delivery, run, content) = match read(&state.secret, &head.headers, &body) {
        Ok(read) => read,
        Err(wrong) => {
            lock(&state.book).forged.push(wrong.to_owned());
            return Ok(empty(StatusCode::UNAUTHORIZED));
        }
    };
    let mut manner = state.manner.subscribe();
    let (answer, delay) = {
        let mut seen = lock(&state.seen);
        let earlier = seen.entry(delivery.clone()).or_default();
        let planned = plan(*manner.borrow_and_update(), &delivery, *earlier);
        *earlier += 1;
        planned
    };
    let index = {
        let mut book = lock(&state.book);
        book.arrivals.push(Arrival { delivery, run, content, answer });
        book.arrivals.len() - 1
    };
    state.arrived.send_modify(|arrived| *arrived += 1);
    if *manner.borrow() == Manner::Silent {
        let _ = manner.wait_for(|manner| *manner != Manner::Silent).await;
        // Whoever waits still is told; if nobody does, this is never reached.
        lock(&state.book).arrivals[index].answer = Some(200);
        return Ok(empty(StatusCode::OK));
    }
    tokio::time::sleep(delay).await;
    match answer {
        Some(status) => Ok(empty(StatusCode::from_u16(status).map_err(io::Error::other)?)),
        None => Err(io::Error::other("cut off")),
    }
}

fn plan(manner: Manner, delivery: &str, earlier: usize) -> (Option<u16>, Duration) {
    let at_once = Duration::ZERO;
    match manner {
        Manner::Good => (Some(200), at_once),
        Manner::Slow(delay) => (Some(200), delay),
        Manner::Silent => (None, at_once),
        Manner::Moody if earlier > 0 => (Some(200), at_once),
        Manner::Moody => match Sha256::digest(delivery.as_bytes())[0] % 20 {
            0 | 1 => (Some(503), at_once),
            2 => (None, at_once),
            3 | 4 => (Some(200), Duration::from_millis(40)),
            _ => (Some(200), at_once),
        },
    }
}

/// Delivery, run and content of a request whose signatures are both right.
fn read(secret: &SigningSecret, headers: &HeaderMap, body: &[u8]) -> Result<(String, String, [u8; 32]), &'static str> {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let given = value(header::SIGNATURE).ok_or("it has no X-Preclinical-Signature")?;
    if !signature::verify_preclinical(secret, body, given) {
        return Err("its X-Preclinical-Signature is wrong");
    }
    let id = value(header::WEBHOOK_ID).ok_or("it has no webhook-id")?;
    let timestamp = value(header::WEBHOOK_TIMESTAMP).ok_or("it has no webhook-timestamp")?;
    let given = value(header::WEBHOOK_SIGNATURE).ok_or("it has no webhook-signature")?;
    if !signature::verify_standard(secret, id, timestamp, body, given) {
        return Err("its webhook-signature is wrong");
    }
    let delivery = value(header::DELIVERY).ok_or("it has no X-Preclinical-Delivery")?;
    let mut content: Value = serde_json::from_slice(body).map_err(|_| "its body is no JSON")?;
    let run = content["test_run"]["id"].as_str().ok_or("its body tells of no run")?.to_owned();
    content.as_object_mut().map(|fields| fields.shift_remove("timestamp"));
    Ok((delivery.to_owned(), run, Sha256::digest(content.to_string().as_bytes()).into()))
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
