use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use preclinical_core::{
    port::{Finish, FinishError, ReportedCounts},
    run::{FinalStatus, RunRef},
};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    idempotency::Subject,
    input::{Body, Fields, Id, SMALL},
    wire::RunView,
};

/// The largest count of scenarios.
const MOST: u32 = 10_000_000;

/// Ends a run: its event and its delivery are on disk when this answers.
pub(crate) async fn complete(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    subject: Subject,
    Body(mut body): Body<SMALL>,
) -> Result<impl IntoResponse, ApiError> {
    let run: RunRef = id.parse(ApiError::run_not_found)?;
    let to = body.choice("status", "completed or failed", ending)?.unwrap_or(FinalStatus::Completed);
    let counts = counts(&mut body)?;
    body.finish()?;
    let organization_id = caller.organization;
    let run = app
        .ending(subject, move |store, at, dispatch| async move {
            store.finish_run(Finish { organization_id, run, to, counts, at, dispatch }).await
        })
        .await?;
    Ok(Json(RunView::from(&run)).into_response())
}

fn ending(text: &str) -> Option<FinalStatus> {
    match text {
        "completed" => Some(FinalStatus::Completed),
        "failed" => Some(FinalStatus::Failed),
        _ => None,
    }
}

fn counts(body: &mut Fields) -> Result<Option<ReportedCounts>, ApiError> {
    let passed = body.count("passed_count", 0..=MOST)?;
    let failed = body.count("failed_count", 0..=MOST)?;
    let error = body.count("error_count", 0..=MOST)?;
    let total = body.count("total_scenarios", 0..=MOST)?;
    if [passed, failed, error, total].iter().all(Option::is_none) {
        return Ok(None);
    }
    let or_none = |count: Option<u32>| count.unwrap_or(0);
    Ok(Some(ReportedCounts { passed: or_none(passed), failed: or_none(failed), error: or_none(error), total }))
}

impl From<FinishError> for ApiError {
    fn from(error: FinishError) -> Self {
        match error {
            FinishError::RunNotFound => Self::run_not_found(),
            FinishError::AlreadyFinal(status) => Self::already_final(status),
            FinishError::CountsNotWanted => {
                Self::invalid("passed_count", "and the other counts follow from the scenario results that were reported")
            }
            FinishError::CountsExceedTotal { judged, total } => {
                Self::invalid("total_scenarios", format_args!("is {total}, but {judged} scenarios have a verdict"))
            }
            FinishError::Store(error) => error.into(),
        }
    }
}
