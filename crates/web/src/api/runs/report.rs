use std::{collections::HashMap, sync::Arc};

use axum::{Json, extract::State, response::IntoResponse};
use preclinical_core::{
    port::{Report, ReportError},
    run::RunRef,
    scenario::{ScenarioResult, ScenarioStatus},
};

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, code},
    idempotency::Subject,
    input::{Body, Fields, Id, LARGE, Length},
    openapi::{Description, Field, Object, Resource, Topic},
    wire::RunView,
};

/// A scenario's name.
const LONGEST_NAME: Length = Length::Line(500);

/// Results in one call.
const MOST_RESULTS: usize = 1000;

/// A summary or an error message, in characters.
const LONGEST_TEXT: usize = 64 * 1024;

/// A duration of a scenario: 30 days, in milliseconds.
const LONGEST_DURATION: u64 = 30 * 24 * 3_600_000;

/// Takes scenario results; when all planned ones are in, the run completes by itself.
pub(crate) async fn report(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    subject: Subject,
    Body(mut body): Body<LARGE>,
) -> Result<impl IntoResponse, ApiError> {
    let run: RunRef = id.parse(ApiError::run_not_found)?;
    let results = body.list("results", 1..=MOST_RESULTS)?;
    let results = parse(body.require("results", results)?)?;
    body.finish()?;
    let organization_id = caller.organization;
    let run = app
        .ending(subject, move |store, at, dispatch| async move {
            store.report_results(Report { organization_id, run, results, at, dispatch }).await
        })
        .await?;
    Ok(Json(RunView::from(&run)).into_response())
}

pub(crate) fn describe() -> Description {
    let evidence = || Field::of(serde_json::json!({}));
    let result = Object::new()
        .required("scenario_id", Field::text(Length::NAME).further("must not have been reported before with other contents"))
        .required("scenario_name", Field::text(LONGEST_NAME))
        .required("status", Field::choice::<ScenarioStatus>())
        .optional("grade_summary", Field::report_text(LONGEST_TEXT))
        .optional("criteria_results", evidence())
        .optional("transcript", evidence())
        .optional("duration_ms", Field::number(0..=LONGEST_DURATION))
        .optional("error_message", Field::report_text(LONGEST_TEXT));
    let results = Field::list(1..=MOST_RESULTS, result).further("must not be more than the scenarios that the run has");
    Description::new(Topic::Runs, "report_results", "Report scenario results")
        .text("Repeated results count once. When all of `total_scenarios` are in, the run completes by itself.")
        .of(Resource::Run)
        .body(Object::new().required("results", results))
        .ok::<RunView<'_>>("The run with its counts.")
        .refuses(code::INVALID_STATE)
}

/// Parses all results. One that is repeated word for word is taken once.
fn parse(items: Vec<Fields>) -> Result<Vec<ScenarioResult>, ApiError> {
    let mut results: Vec<ScenarioResult> = Vec::with_capacity(items.len());
    let mut seen = HashMap::new();
    for (index, item) in items.into_iter().enumerate() {
        let result = parse_one(item)?;
        match seen.get(&result.scenario_id) {
            Some(&first) if results.get(first) != Some(&result) => return Err(ReportError::Conflicting { index }.into()),
            Some(_) => {}
            None => {
                seen.insert(result.scenario_id.clone(), results.len());
                results.push(result);
            }
        }
    }
    Ok(results)
}

fn parse_one(mut item: Fields) -> Result<ScenarioResult, ApiError> {
    let scenario_id = item.text("scenario_id", Length::NAME)?;
    let scenario_name = item.text("scenario_name", LONGEST_NAME)?;
    let status = item.choice("status", "one of passed, failed, error, canceled", ScenarioStatus::parse)?;
    let result = ScenarioResult {
        scenario_id: item.require("scenario_id", scenario_id)?,
        scenario_name: item.require("scenario_name", scenario_name)?,
        status: item.require("status", status)?,
        grade_summary: item.report_text("grade_summary", LONGEST_TEXT)?,
        criteria_results: item.value("criteria_results"),
        transcript: item.value("transcript"),
        duration_ms: item.number("duration_ms", 0..=LONGEST_DURATION)?,
        error_message: item.report_text("error_message", LONGEST_TEXT)?,
    };
    item.finish()?;
    Ok(result)
}

impl From<ReportError> for ApiError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::RunNotFound => Self::run_not_found(),
            ReportError::AlreadyFinal(status) => Self::already_final(status),
            ReportError::Conflicting { index } => {
                Self::invalid(&format!("results[{index}].scenario_id"), "was reported before with other contents")
            }
            ReportError::TooMany { most } => {
                Self::invalid("results", format_args!("would be more than the run's {most} scenarios"))
            }
            ReportError::Store(error) => error.into(),
        }
    }
}
