//! The receiver of all webhooks: does with each request what chance and its temper say, at the time when they say it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    attempt::{AttemptError, ErrorKind, Message},
    clock::Clock,
    request::WebhookRequest,
    retry_after::RetryAfter,
};
use preclinical_delivery::{Answer, Stopwatch, Transport};
use preclinical_testkit::clock::ManualClock;
use tokio::sync::oneshot;

use crate::{dice::Dice, oracle::Shared, weather::Weather};

/// What is done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reaction {
    Answer {
        status: u16,
        retry_after: Option<u32>,
    },
    /// No connection: the receiver sees nothing.
    Refuse,
    /// The receiver takes it and the connection breaks before its answer arrives.
    LoseAnswer,
    /// The receiver takes it and says nothing.
    Hang,
}

/// How many of a thousand requests end otherwise than with a 200 at once.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Temper {
    pub(crate) fails: u32,
    pub(crate) gone: u32,
    pub(crate) refuses: u32,
    pub(crate) loses: u32,
    pub(crate) hangs: u32,
    pub(crate) slow: u32,
}

pub(crate) struct Receiver {
    truth: Arc<ManualClock>,
    oracle: Shared,
    weather: Weather,
    state: Mutex<State>,
}

struct State {
    dice: Dice,
    temper: Temper,
    parked: Vec<Parked>,
}

struct Parked {
    serial: usize,
    reaction: Reaction,
    at: Timestamp,
    reply: oneshot::Sender<Result<Answer, AttemptError>>,
}

impl Receiver {
    pub(crate) fn new(truth: Arc<ManualClock>, oracle: Shared, weather: Weather, dice: Dice, temper: Temper) -> Arc<Self> {
        Arc::new(Self { truth, oracle, weather, state: Mutex::new(State { dice, temper, parked: Vec::new() }) })
    }

    /// Takes everything from now on.
    pub(crate) fn recover(&self) {
        self.state.lock().unwrap().temper = Temper::default();
    }

    /// When the next answer is due.
    pub(crate) fn next_answer(&self) -> Option<Timestamp> {
        let state = self.state.lock().unwrap();
        let answering = state.parked.iter().filter(|parked| parked.reaction != Reaction::Hang && !parked.reply.is_closed());
        answering.map(|parked| parked.at).min()
    }

    /// Whether somebody waits for an answer.
    pub(crate) fn is_busy(&self) -> bool {
        self.state.lock().unwrap().parked.iter().any(|parked| !parked.reply.is_closed())
    }

    /// Gives the answers that are due.
    pub(crate) fn release(&self) {
        let now = self.truth.now();
        let mut state = self.state.lock().unwrap();
        let (due, parked) = std::mem::take(&mut state.parked)
            .into_iter()
            .partition(|parked: &Parked| parked.at <= now && parked.reaction != Reaction::Hang);
        state.parked = parked;
        state.parked.retain(|parked| !parked.reply.is_closed());
        for Parked { serial, reaction, reply, .. } in due {
            if !reply.is_closed() {
                self.oracle.lock().unwrap().given(serial, reaction, now);
                let _ = reply.send(answer(serial, reaction));
            }
        }
    }

    fn park(&self, node: u32, url: &str, request: &WebhookRequest) -> oneshot::Receiver<Result<Answer, AttemptError>> {
        let (reply, answer) = oneshot::channel();
        let mut state = self.state.lock().unwrap();
        let (reaction, after) = state.react();
        let at = self.truth.now() + SignedDuration::try_from(after).unwrap();
        let serial = self.oracle.lock().unwrap().posted(node, url, request, reaction, self.truth.now());
        state.parked.push(Parked { serial, reaction, at, reply });
        answer
    }
}

impl State {
    fn react(&self) -> (Reaction, Duration) {
        let Temper { fails, gone, refuses, loses, hangs, slow } = self.temper;
        let after = if self.dice.happens(slow) { self.dice.millis(1..20_000) } else { self.dice.millis(1..300) };
        let answer = |status, retry_after| Reaction::Answer { status, retry_after };
        let reaction = match self.dice.below(1000) {
            at if at < fails => match self.dice.below(6) {
                0 => answer(429, Some(self.dice.below(200))),
                1 => answer(503, Some(self.dice.below(200))),
                2 => answer(500, Some(1000)),
                3 => answer(302, None),
                _ => answer(500, None),
            },
            _ if self.dice.happens(gone) => answer(410, None),
            _ if self.dice.happens(refuses) => Reaction::Refuse,
            _ if self.dice.happens(loses) => Reaction::LoseAnswer,
            _ if self.dice.happens(hangs) => Reaction::Hang,
            _ => answer(200, None),
        };
        (reaction, after)
    }
}

/// What arrives at the sender. The body says which request it answers.
fn answer(serial: usize, reaction: Reaction) -> Result<Answer, AttemptError> {
    let failed = |kind| Err(AttemptError { kind, message: "as the receiver wanted it".to_owned() });
    match reaction {
        Reaction::Answer { status, retry_after } => {
            let body = serial.to_string().into_bytes();
            let retry_after = retry_after.and_then(|seconds| RetryAfter::parse(&seconds.to_string()));
            let size_bytes = body.len() as u64;
            let message = Message { headers: Arc::default(), body: body.into(), size_bytes, truncated: false };
            Ok(Answer { status, retry_after, message })
        }
        Reaction::Refuse => failed(ErrorKind::Connect),
        Reaction::LoseAnswer | Reaction::Hang => failed(ErrorKind::Reset),
    }
}

/// A node's way to the receiver.
pub(crate) struct Wire {
    pub(crate) node: u32,
    pub(crate) receiver: Arc<Receiver>,
}

#[async_trait]
impl Transport for Wire {
    async fn post(&self, url: &str, request: &WebhookRequest, _stopwatch: &Arc<Stopwatch>) -> Result<Answer, AttemptError> {
        self.receiver.weather.note();
        let answer = self.receiver.park(self.node, url, request).await;
        self.receiver.weather.note();
        answer
            .unwrap_or_else(|_| Err(AttemptError { kind: ErrorKind::Reset, message: "the receiver is no more".to_owned() }))
    }
}
