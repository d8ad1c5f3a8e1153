//! Deliveries and attempts on the wire. Their times show milliseconds: people compare them with their own logs.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use preclinical_core::{
    attempt::{Attempt, AttemptError, ErrorKind, Message},
    delivery::{Delivery, DeliveryStatus},
    event::EventKind,
    id::{AgentId, DeliveryId, RunId, WebhookId},
    timing::Timing,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::openapi::{Choice, DateTime, HttpStatus, RunNumber, Uuid};

/// One event on its way to one webhook.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
pub(crate) struct DeliveryView<'a> {
    #[schemars(with = "Uuid")]
    id: DeliveryId,
    #[schemars(with = "Choice<EventKind>")]
    event: &'a str,
    #[schemars(with = "Choice<DeliveryStatus>")]
    status: &'a str,
    #[schemars(with = "Uuid")]
    webhook_id: WebhookId,
    #[schemars(with = "Option<Uuid>")]
    agent_id: Option<AgentId>,
    #[schemars(with = "Option<Uuid>")]
    run_id: Option<RunId>,
    #[schemars(with = "Option<RunNumber>")]
    test_run_id: Option<String>,
    url: &'a str,
    attempt_count: u32,
    #[schemars(with = "Option<HttpStatus>")]
    http_status: Option<u16>,
    duration_ms: Option<u64>,
    #[schemars(with = "Option<DateTime>")]
    next_attempt_at: Option<String>,
    is_test: bool,
    #[schemars(with = "Option<Uuid>")]
    redelivery_of: Option<DeliveryId>,
    #[schemars(with = "DateTime")]
    created_at: String,
    #[schemars(with = "Option<DateTime>")]
    completed_at: Option<String>,
}

impl<'a> From<&'a Delivery> for DeliveryView<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        Self {
            id: delivery.id,
            event: delivery.event.as_str(),
            status: delivery.status.as_str(),
            webhook_id: delivery.webhook_id,
            agent_id: delivery.agent_id,
            run_id: delivery.run_id,
            test_run_id: delivery.run_number.map(|number| number.to_string()),
            url: &delivery.url,
            attempt_count: delivery.attempt_count,
            http_status: delivery.http_status,
            duration_ms: delivery.duration_ms,
            next_attempt_at: delivery.next_attempt_at.map(precise),
            is_test: delivery.event == EventKind::Test,
            redelivery_of: delivery.redelivery_of,
            created_at: precise(delivery.created_at),
            completed_at: delivery.completed_at.map(precise),
        }
    }
}

/// One request of a delivery.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Attempt")]
pub(crate) struct AttemptView<'a> {
    number: u32,
    #[schemars(with = "DateTime")]
    started_at: String,
    duration_ms: Option<u64>,
    timing: TimingView,
    #[schemars(with = "Option<HttpStatus>")]
    http_status: Option<u16>,
    error: Option<ErrorView<'a>>,
    request: Option<MessageView<'a>>,
    response: Option<MessageView<'a>>,
}

/// Where the time of an attempt went, in milliseconds with their fraction. A part that did not happen is `null`: those before the
/// wait if the connection was there already. The part in which an attempt failed has the time that was spent in it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Timing")]
#[allow(clippy::struct_field_names, reason = "numbers on the wire say their unit")]
struct TimingView {
    /// Resolving the host's name.
    resolve_ms: Option<f64>,
    /// Making the TCP connection.
    connect_ms: Option<f64>,
    /// The TLS handshake.
    tls_ms: Option<f64>,
    /// From the beginning of the request's writing until the head of the answer was there.
    first_byte_ms: Option<f64>,
}

/// Why an attempt got no complete answer.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AttemptError")]
struct ErrorView<'a> {
    #[schemars(with = "Choice<ErrorKind>")]
    kind: &'a str,
    message: &'a str,
}

/// A request or an answer, as it was on the wire. Of a request's custom headers only the names are kept, and `••••••` stands in place of
/// their values. A body that is not UTF-8 is shown as `body_base64`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Message")]
struct MessageView<'a> {
    #[schemars(with = "BTreeMap<String, String>")]
    headers: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    body_base64: Option<String>,
    truncated: bool,
    size_bytes: u64,
}

impl<'a> From<&'a Attempt> for AttemptView<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        Self {
            number: attempt.number,
            started_at: precise(attempt.started_at),
            duration_ms: attempt.duration_ms,
            timing: TimingView::from(attempt.timing),
            http_status: attempt.http_status,
            error: attempt.error.as_ref().map(ErrorView::from),
            request: attempt.request.as_ref().map(MessageView::from),
            response: attempt.response.as_ref().map(MessageView::from),
        }
    }
}

impl From<Timing> for TimingView {
    fn from(timing: Timing) -> Self {
        let micros = |part: Duration| u32::try_from(part.as_micros()).unwrap_or(u32::MAX);
        let milliseconds = |part: Option<Duration>| part.map(|part| f64::from(micros(part)) / 1000.0);
        Self {
            resolve_ms: milliseconds(timing.resolve),
            connect_ms: milliseconds(timing.connect),
            tls_ms: milliseconds(timing.tls),
            first_byte_ms: milliseconds(timing.first_byte),
        }
    }
}

impl<'a> From<&'a AttemptError> for ErrorView<'a> {
    fn from(error: &'a AttemptError) -> Self {
        Self { kind: error.kind.as_str(), message: &error.message }
    }
}

impl<'a> From<&'a Message> for MessageView<'a> {
    fn from(message: &'a Message) -> Self {
        let body = std::str::from_utf8(&message.body).ok();
        Self {
            headers: joined(&message.headers),
            body,
            body_base64: body.is_none().then(|| STANDARD.encode(&message.body)),
            truncated: message.truncated,
            size_bytes: message.size_bytes,
        }
    }
}

/// Headers as an object; the values of a repeated one are joined as HTTP allows.
fn joined(headers: &[(String, String)]) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in headers {
        match map.get_mut(name) {
            Some(Value::String(first)) => *first = format!("{first}, {value}"),
            _ => drop(map.insert(name.clone(), Value::from(value.as_str()))),
        }
    }
    map
}

/// RFC 3339 with milliseconds.
pub(super) fn precise(time: Timestamp) -> String {
    let milliseconds = Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time);
    format!("{milliseconds:.3}")
}
