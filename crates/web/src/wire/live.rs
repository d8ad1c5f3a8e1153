//! What the events of a run's stream carry.

use preclinical_core::{
    id::RunId,
    run::Run,
    scenario::{ScenarioStatus, Verdict},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::RunView;
use crate::openapi::{Choice, RunNumber, Uuid};

/// A scenario has its verdict.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ScenarioEvent<'a> {
    event_type: &'static str,
    #[schemars(with = "Uuid")]
    run_id: RunId,
    #[schemars(with = "RunNumber")]
    test_run_id: String,
    scenario_id: &'a str,
    scenario_name: &'a str,
    #[schemars(with = "Choice<ScenarioStatus>")]
    status: ScenarioStatus,
    passed_count: u32,
    failed_count: u32,
    error_count: u32,
    total_scenarios: u32,
}

/// A run began or ended.
#[derive(Serialize, JsonSchema)]
pub(crate) struct RunEvent<'a> {
    event_type: &'static str,
    run: RunView<'a>,
}

impl<'a> ScenarioEvent<'a> {
    /// The verdict, with the counts of the run as it is now.
    pub(crate) fn new(run: &Run, verdict: &'a Verdict) -> Self {
        Self {
            event_type: "scenario_complete",
            run_id: run.id,
            test_run_id: run.number.to_string(),
            scenario_id: &verdict.scenario_id,
            scenario_name: &verdict.scenario_name,
            status: verdict.status,
            passed_count: run.tally.passed,
            failed_count: run.tally.failed,
            error_count: run.tally.error,
            total_scenarios: run.tally.total,
        }
    }
}

impl<'a> RunEvent<'a> {
    /// The run as the API shows it.
    pub(crate) fn new(event_type: &'static str, run: &'a Run) -> Self {
        Self { event_type, run: RunView::from(run) }
    }
}
