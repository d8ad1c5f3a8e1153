//! One attempt from its bytes to its record.

use std::{convert::Infallible, sync::Arc, time::Duration};

use jiff::Timestamp;
use preclinical_core::{
    attempt::{AttemptError, ErrorKind, Message, Outcome},
    delivery::Claimed,
    event::EventKind,
    id::{DeliveryId, EventId},
    port::{AttemptRecord, AttemptSummary, Disabling, RecordError},
    request::{self, WebhookRequest},
    retry::NextStep,
};
use tokio::time::Instant;

use crate::{answer::Answer, engine::Engine, stopwatch::Stopwatch};

/// The pause before a record that the store refused is tried again, as long as its lease holds.
const RECORD_PAUSE: Duration = Duration::from_millis(500);

/// Sends, decides what follows and records both. `None` if the record was refused.
pub(crate) async fn make(engine: &Arc<Engine>, claimed: Claimed) -> Option<AttemptSummary> {
    let host = engine.hosts.get(&claimed.url, |url| Ok::<_, Infallible>(request::host(url)));
    let request = request::build_to(host.unwrap_or_default(), &claimed, engine.clock.now());
    let (started, stopwatch) = (Instant::now(), Arc::default());
    let (outcome, answer) = send(engine, &claimed, &request, &stopwatch).await;
    let timing = stopwatch.read();
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let ended_at = engine.clock.now();
    let next = decide(engine, &claimed, &outcome, ended_at);
    let summary = summarize(&outcome);
    log(&claimed, &outcome, duration_ms, next);
    let record = AttemptRecord {
        delivery_id: claimed.delivery_id,
        number: claimed.attempt,
        lease: claimed.lease.token,
        ended_at,
        duration_ms,
        timing,
        outcome,
        request: Some(sent(request)),
        response: answer.map(|answer| answer.message),
        next,
        disabling: disabling(engine, ended_at),
    };
    let recorded = keep(engine, record, claimed.lease.until).await;
    engine.jobs.attempt_ended.notify_one();
    // A failure leaves a retry, or the news that its webhook was disabled.
    if next != NextStep::Delivered {
        engine.note_change();
    }
    recorded.then_some(summary)
}

async fn send(
    engine: &Engine,
    claimed: &Claimed,
    request: &WebhookRequest,
    stopwatch: &Arc<Stopwatch>,
) -> (Outcome, Option<Answer>) {
    let limit = engine.settings.request_timeout;
    let error = match tokio::time::timeout(limit, engine.transport.post(&claimed.url, request, stopwatch)).await {
        Ok(Ok(answer)) => {
            return (Outcome::Answered { status: answer.status, retry_after: answer.retry_after }, Some(answer));
        }
        Ok(Err(error)) => error,
        Err(_) => AttemptError {
            kind: ErrorKind::Timeout,
            message: format!("no complete answer within {} s", limit.as_secs_f64()),
        },
    };
    (Outcome::Failed(error), None)
}

fn decide(engine: &Engine, claimed: &Claimed, outcome: &Outcome, ended_at: Timestamp) -> NextStep {
    let next = engine.settings.schedule.decide(outcome, claimed.failures, ended_at, engine.chance.fraction());
    match (claimed.event, next) {
        (_, NextStep::Delivered) => NextStep::Delivered,
        // Somebody tries the webhook out: no retry, and no consequence for it.
        (EventKind::Test, _) => NextStep::Exhausted,
        (EventKind::TestRunCompleted | EventKind::WebhookDisabled, next) => next,
    }
}

fn disabling(engine: &Engine, at: Timestamp) -> Disabling {
    Disabling {
        patience: engine.settings.patience,
        event_id: EventId::generate(at, &*engine.chance),
        delivery_id: DeliveryId::generate(at, &*engine.chance),
        public_url: Arc::clone(&engine.settings.public_url),
    }
}

async fn keep(engine: &Engine, record: AttemptRecord, lease_ends: Timestamp) -> bool {
    loop {
        match engine.store.record(record.clone()).await {
            Ok(()) => return true,
            Err(RecordError::LeaseLost) => {
                tracing::warn!(delivery = %record.delivery_id, attempt = record.number, "lease lost, the record was refused");
                return false;
            }
            Err(RecordError::Store(error)) if engine.clock.now() >= lease_ends => {
                tracing::error!(delivery = %record.delivery_id, attempt = record.number, %error, "the record was given up");
                return false;
            }
            Err(RecordError::Store(error)) => {
                tracing::warn!(delivery = %record.delivery_id, attempt = record.number, %error, "the record is tried again");
                tokio::time::sleep(RECORD_PAUSE).await;
            }
        }
    }
}

fn sent(request: WebhookRequest) -> Message {
    let body = request.body.clone();
    Message { size_bytes: body.len() as u64, headers: request.into_kept_headers().into(), body, truncated: false }
}

fn summarize(outcome: &Outcome) -> AttemptSummary {
    let error = match outcome {
        Outcome::Failed(error) => Some(error.clone()),
        Outcome::Answered { .. } => None,
    };
    AttemptSummary { delivered: outcome.is_success(), http_status: outcome.http_status(), error }
}

fn log(claimed: &Claimed, outcome: &Outcome, duration_ms: u64, next: NextStep) {
    let error = match outcome {
        Outcome::Failed(error) => error.kind.as_str(),
        Outcome::Answered { .. } => "none",
    };
    tracing::info!(
        delivery = %claimed.delivery_id,
        webhook = %claimed.webhook_id,
        attempt = claimed.attempt,
        status = outcome.http_status().unwrap_or(0),
        error,
        duration_ms,
        next = ?next,
        "attempt"
    );
}
