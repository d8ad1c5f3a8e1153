//! What this server sends: the webhooks of the document.

use preclinical_core::{
    event::EventKind,
    request::{self, header},
    webhook::DisabledReason,
};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::kind::{Choice, DateTime, Percent, RunNumber, Uuid};

/// The body of a request that tells that a run ended. New fields may be added.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes bytes that `core` makes")]
struct TestRunCompleted {
    #[schemars(extend("const" = EventKind::TestRunCompleted.as_str()))]
    event: String,
    /// When this attempt was made; every retry has its own.
    #[schemars(with = "DateTime")]
    timestamp: (),
    test_run: TestRun,
    /// Opens the results in a browser.
    #[schemars(extend("format" = "uri"))]
    results_url: String,
}

/// The body of a request that tells the organization's webhook that the server disabled the webhook of an agent. New fields may be
/// added.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes bytes that `core` makes")]
struct WebhookDisabled {
    #[schemars(extend("const" = EventKind::WebhookDisabled.as_str()))]
    event: String,
    /// When this attempt was made; every retry has its own.
    #[schemars(with = "DateTime")]
    timestamp: (),
    webhook: DisabledWebhook,
    /// Opens the page where the webhook can be enabled again.
    #[schemars(extend("format" = "uri"))]
    settings_url: String,
}

/// The webhook as it was when it was disabled.
#[derive(JsonSchema)]
#[schemars(rename = "EventWebhook")]
#[expect(dead_code, reason = "describes bytes that `core` makes")]
struct DisabledWebhook {
    #[schemars(with = "Uuid")]
    id: (),
    /// The scheme, the host and the port of its URL. The rest is left out: many receivers expect a secret there.
    #[schemars(extend("format" = "uri"))]
    url: String,
    #[schemars(with = "Uuid")]
    agent_id: (),
    agent_name: String,
    /// `gone` after `410 Gone`, `failing` when it did nothing but fail for too long.
    #[schemars(with = "Choice<DisabledReason>")]
    reason: (),
    /// When the first attempt ended that failed after the last success.
    #[schemars(with = "DateTime")]
    failing_since: (),
    consecutive_failures: u32,
}

/// The body of a test delivery: a run that never was.
#[derive(JsonSchema)]
#[schemars(rename = "Test")]
#[expect(dead_code, reason = "describes bytes that `core` makes")]
struct TestSent {
    #[schemars(extend("const" = EventKind::Test.as_str()))]
    event: String,
    #[schemars(extend("const" = true))]
    is_test: bool,
    /// When this attempt was made.
    #[schemars(with = "DateTime")]
    timestamp: (),
    test_run: TestRun,
}

/// The run as it was when it ended.
#[derive(JsonSchema)]
#[schemars(rename = "EventTestRun")]
#[expect(dead_code, clippy::struct_field_names, reason = "describes bytes that `core` makes, under the documented names")]
struct TestRun {
    /// The run; what to deduplicate on.
    #[schemars(with = "Uuid")]
    id: (),
    #[schemars(with = "RunNumber")]
    test_run_id: (),
    name: String,
    #[schemars(with = "Uuid")]
    agent_id: (),
    agent_name: String,
    /// `failed` is a run that could not be finished. One whose scenarios failed is `completed`: look at `pass_rate`.
    #[schemars(extend("enum" = ["completed", "failed", "canceled"]))]
    status: String,
    /// passed ÷ total × 100, rounded to two decimals; 0 if there are no scenarios.
    #[schemars(with = "Percent")]
    pass_rate: (),
    passed_count: u32,
    failed_count: u32,
    error_count: u32,
    /// May be more than the three counts together if the run was cut short.
    total_scenarios: u32,
    /// `null` if the run was canceled before it began.
    #[schemars(with = "Option<DateTime>")]
    started_at: (),
    #[schemars(with = "DateTime")]
    completed_at: (),
    duration_seconds: u64,
}

/// Every kind of event, under its name.
pub(super) fn webhooks(schemas: &mut SchemaGenerator) -> Value {
    let sent = EventKind::ALL.map(|kind| {
        let (summary, body) = match kind {
            EventKind::TestRunCompleted => ("A run ended", schemas.subschema_for::<TestRunCompleted>()),
            EventKind::WebhookDisabled => {
                ("The webhook of an agent was disabled automatically", schemas.subschema_for::<WebhookDisabled>())
            }
            EventKind::Test => ("Somebody tries the webhook out", schemas.subschema_for::<TestSent>()),
        };
        let operation = json!({
            "operationId": format!("receive_{}", kind.as_str()),
            "tags": ["Webhooks"],
            "summary": summary,
            "description": "Sent to the URL of a webhook. Verify the signature, answer 2xx at once, and do the work afterwards.",
            "parameters": headers(kind),
            "requestBody": {"required": true, "content": {"application/json": {"schema": body}}},
            "responses": answers(kind),
        });
        (kind.as_str().to_owned(), json!({"post": operation}))
    });
    sent.into_iter().collect::<Map<_, _>>().into()
}

fn headers(kind: EventKind) -> Value {
    let header = |name: &str, required: bool, says: &str, schema: Value| json!({"name": name, "in": "header", "required": required, "description": says, "schema": schema});
    let text = |pattern: &str| json!({"type": "string", "pattern": pattern});
    json!([
        header("user-agent", true, "Who sends.", json!({"type": "string", "examples": [request::USER_AGENT]})),
        header(header::EVENT, true, "What happened.", json!({"const": kind.as_str()})),
        header(
            header::DELIVERY,
            true,
            "The delivery; the same on every retry.",
            json!({"type": "string", "format": "uuid"})
        ),
        header(
            header::SIGNATURE,
            false,
            "HMAC-SHA256 of the body under the secret. Missing without a secret.",
            text("^sha256=[0-9a-f]{64}$"),
        ),
        header(
            header::WEBHOOK_ID,
            true,
            "Standard Webhooks: the delivery; the same on every retry.",
            text("^msg_[0-9a-f-]{36}$")
        ),
        header(header::WEBHOOK_TIMESTAMP, true, "Standard Webhooks: Unix seconds of this attempt.", text("^[0-9]+$")),
        header(
            header::WEBHOOK_SIGNATURE,
            false,
            "Standard Webhooks: a signature of each secret that is valid now. Missing without a secret.",
            text("^v1,[0-9A-Za-z+/]{43}=( v1,[0-9A-Za-z+/]{43}=)*$"),
        ),
    ])
}

fn answers(kind: EventKind) -> Value {
    match kind {
        EventKind::Test => json!({
            "2XX": {"description": "It was taken."},
            "default": {"description": "It failed; a test is not repeated."},
        }),
        EventKind::TestRunCompleted | EventKind::WebhookDisabled => json!({
            "2XX": {"description": "It was taken."},
            "410": {"description": "Nobody listens any more: the webhook is disabled."},
            "default": {"description": "It failed and is repeated; `Retry-After` of 429 and 503 can postpone that."},
        }),
    }
}
