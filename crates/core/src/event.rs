//! Events: facts that webhooks are told of, frozen when they happen.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use url::Url;
use uuid::Uuid;

use crate::{
    health::Health,
    id::{AgentId, RunId, WebhookId},
    run::{Run, RunNumber},
    tally::{PassRate, Tally},
    webhook::DisabledReason,
    wire_time,
};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A run became final.
    TestRunCompleted,
    /// We disabled the webhook of an agent; the organization's is told.
    WebhookDisabled,
    /// Somebody tries a webhook out.
    Test,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::TestRunCompleted, Self::WebhookDisabled, Self::Test];

    /// The kind on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TestRunCompleted => "test_run_completed",
            Self::WebhookDisabled => "webhook_disabled",
            Self::Test => "test",
        }
    }

    /// The kind of that name; `None` for every other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The part of a payload that no attempt changes: a JSON object, compact, keys in the documented order.
///
/// It is written when the event happens, so that renaming an agent later does not rewrite what was reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventContent(Bytes);

#[derive(Serialize)]
struct Content<'a> {
    test_run: TestRun<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    results_url: Option<String>,
}

#[derive(Serialize)]
#[allow(clippy::struct_field_names, reason = "the names are the documented ones")]
struct TestRun<'a> {
    id: RunId,
    test_run_id: String,
    name: &'a str,
    agent_id: AgentId,
    agent_name: &'a str,
    status: &'a str,
    pass_rate: PassRate,
    passed_count: u32,
    failed_count: u32,
    error_count: u32,
    total_scenarios: u32,
    #[serde(serialize_with = "wire_time::serialize_option")]
    started_at: Option<Timestamp>,
    #[serde(serialize_with = "wire_time::serialize_option")]
    completed_at: Option<Timestamp>,
    duration_seconds: u64,
}

/// The webhook of an agent that we disabled.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the fields are those of the webhook and of its agent")]
pub struct DisabledWebhook<'a> {
    pub id: WebhookId,
    pub url: &'a str,
    pub agent_id: AgentId,
    pub agent_name: &'a str,
    pub reason: DisabledReason,
    /// Behind the attempt that disabled it.
    pub health: Health,
}

#[derive(Serialize)]
struct Disabling<'a> {
    webhook: GivenUp<'a>,
    settings_url: String,
}

#[derive(Serialize)]
struct GivenUp<'a> {
    id: WebhookId,
    url: Option<String>,
    agent_id: AgentId,
    agent_name: &'a str,
    reason: &'static str,
    #[serde(serialize_with = "wire_time::serialize_option")]
    failing_since: Option<Timestamp>,
    consecutive_failures: u32,
}

impl EventContent {
    /// What a final run tells. `public_url` is the base under which people reach the pages, without a slash at its end.
    pub fn of_run(run: &Run, public_url: &str) -> Self {
        Self::encode(&Content {
            test_run: TestRun {
                id: run.id,
                test_run_id: run.number.to_string(),
                name: &run.name,
                agent_id: run.agent_id,
                agent_name: &run.agent_name,
                status: run.status.as_str(),
                pass_rate: run.tally.pass_rate(),
                passed_count: run.tally.passed,
                failed_count: run.tally.failed,
                error_count: run.tally.error,
                total_scenarios: run.tally.total,
                started_at: run.started_at,
                completed_at: run.completed_at,
                duration_seconds: run.duration_seconds(),
            },
            results_url: Some(format!("{public_url}/test/{}", run.id)),
        })
    }

    /// What the organization's webhook is told when we disabled the webhook of an agent.
    ///
    /// Of its URL it tells the scheme, the host and the port: in the path and the query many receivers expect a secret.
    pub fn of_disabling(webhook: &DisabledWebhook<'_>, public_url: &str) -> Self {
        Self::encode(&Disabling {
            webhook: GivenUp {
                id: webhook.id,
                url: Url::parse(webhook.url).ok().map(|url| url.origin().ascii_serialization()),
                agent_id: webhook.agent_id,
                agent_name: webhook.agent_name,
                reason: webhook.reason.as_str(),
                failing_since: webhook.health.failing_since,
                consecutive_failures: webhook.health.consecutive_failures,
            },
            settings_url: format!("{public_url}/agents/{}/edit#webhook", webhook.agent_id),
        })
    }

    /// What a test delivery tells: a run that never was, with nil ids.
    pub fn of_test(now: Timestamp) -> Self {
        let tally = Tally { passed: 8, failed: 2, error: 0, total: 10 };
        Self::encode(&Content {
            test_run: TestRun {
                id: RunId::from_uuid(Uuid::nil()),
                test_run_id: RunNumber(0).to_string(),
                name: "Test Webhook Delivery",
                agent_id: AgentId::from_uuid(Uuid::nil()),
                agent_name: "Test Agent",
                status: "completed",
                pass_rate: tally.pass_rate(),
                passed_count: tally.passed,
                failed_count: tally.failed,
                error_count: tally.error,
                total_scenarios: tally.total,
                started_at: Some(now),
                completed_at: Some(now),
                duration_seconds: 0,
            },
            results_url: None,
        })
    }

    /// Content that a store kept.
    pub fn from_stored(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The JSON object's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    #[expect(clippy::expect_used, reason = "strings, numbers and options of them always serialize")]
    fn encode(content: &impl Serialize) -> Self {
        Self(serde_json::to_vec(content).expect("plain values").into())
    }
}
