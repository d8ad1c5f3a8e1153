//! Runs and their scenario results on the wire.

use jiff::Timestamp;
use preclinical_core::{
    id::{AgentId, RunId},
    run::{Run, RunStatus},
    scenario::{ScenarioResult, ScenarioStatus},
    tally::PassRate,
    wire_time,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::openapi::{Choice, DateTime, Percent, RunNumber, Uuid};

/// A run as lists show it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RunSummary")]
pub(crate) struct RunRow<'a> {
    #[schemars(with = "Uuid")]
    id: RunId,
    #[schemars(with = "RunNumber")]
    test_run_id: String,
    name: &'a str,
    #[schemars(with = "Choice<RunStatus>")]
    status: &'a str,
    #[schemars(with = "Uuid")]
    agent_id: AgentId,
    agent_name: &'a str,
    #[schemars(with = "Percent")]
    pass_rate: PassRate,
    passed_count: u32,
    failed_count: u32,
    error_count: u32,
    total_scenarios: u32,
    #[serde(serialize_with = "wire_time::serialize_option")]
    #[schemars(with = "Option<DateTime>")]
    started_at: Option<Timestamp>,
    #[serde(serialize_with = "wire_time::serialize_option")]
    #[schemars(with = "Option<DateTime>")]
    completed_at: Option<Timestamp>,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schemars(with = "DateTime")]
    created_at: Timestamp,
}

/// A run on its own.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Run")]
pub(crate) struct RunView<'a> {
    #[serde(flatten)]
    row: RunRow<'a>,
    duration_seconds: u64,
}

impl<'a> From<&'a Run> for RunRow<'a> {
    fn from(run: &'a Run) -> Self {
        Self {
            id: run.id,
            test_run_id: run.number.to_string(),
            name: &run.name,
            status: run.status.as_str(),
            agent_id: run.agent_id,
            agent_name: &run.agent_name,
            pass_rate: run.tally.pass_rate(),
            passed_count: run.tally.passed,
            failed_count: run.tally.failed,
            error_count: run.tally.error,
            total_scenarios: run.tally.total,
            started_at: run.started_at,
            completed_at: run.completed_at,
            created_at: run.created_at,
        }
    }
}

impl<'a> From<&'a Run> for RunView<'a> {
    fn from(run: &'a Run) -> Self {
        Self { row: RunRow::from(run), duration_seconds: run.duration_seconds() }
    }
}

/// The verdict on one scenario.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ScenarioResult")]
pub(crate) struct ResultView<'a> {
    scenario_id: &'a str,
    scenario_name: &'a str,
    #[schemars(with = "Choice<ScenarioStatus>")]
    status: ScenarioStatus,
    grade_summary: Option<&'a str>,
    criteria_results: Option<&'a Value>,
    transcript: Option<&'a Value>,
    duration_ms: Option<u64>,
    error_message: Option<&'a str>,
}

impl<'a> From<&'a ScenarioResult> for ResultView<'a> {
    fn from(result: &'a ScenarioResult) -> Self {
        Self {
            scenario_id: &result.scenario_id,
            scenario_name: &result.scenario_name,
            status: result.status,
            grade_summary: result.grade_summary.as_deref(),
            criteria_results: result.criteria_results.as_ref(),
            transcript: result.transcript.as_ref(),
            duration_ms: result.duration_ms,
            error_message: result.error_message.as_deref(),
        }
    }
}
