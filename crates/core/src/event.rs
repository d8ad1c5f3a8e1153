//! Events: facts that webhooks are told of, frozen when they happen.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    id::{AgentId, RunId},
    run::{Run, RunNumber},
    tally::{PassRate, Tally},
    wire_time,
};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A run became final.
    TestRunCompleted,
    /// Somebody tries a webhook out.
    Test,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::TestRunCompleted, Self::Test];

    /// The kind on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TestRunCompleted => "test_run_completed",
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
    fn encode(content: &Content<'_>) -> Self {
        Self(serde_json::to_vec(content).expect("plain values").into())
    }
}
