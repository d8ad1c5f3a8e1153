use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use preclinical_core::{
    port::{Finish, FinishError, ReportedCounts},
    run::{FinalStatus, RunRef},
};

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, code},
    idempotency::Subject,
    input::{Body, Fields, Id, SMALL},
    openapi::{Description, Field, Object, Resource, Topic},
    wire::RunView,
};

/// The largest count of scenarios.
const MOST: u32 = 10_000_000;

/// How a runner can end a run.
const ENDINGS: [(&str, FinalStatus); 2] = [("completed", FinalStatus::Completed), ("failed", FinalStatus::Failed)];

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

pub(crate) fn describe() -> Description {
    let counts_rule = "must not be given for a run whose scenario results were reported: its counts follow from them";
    let count = || Field::count(0..=MOST).further(counts_rule);
    let total = "must be at least the sum of the other counts, and must not be given with scenario results";
    Description::new(Topic::Runs, "complete_run", "Complete a run")
        .text("The counts are those of a runner that reported no scenario results. The run's event is on disk when this answers.")
        .of(Resource::Run)
        .body(
            Object::new()
                .optional("status", Field::one_of(&ENDINGS.map(|(name, _)| name)).unless_told("completed"))
                .optional("passed_count", count())
                .optional("failed_count", count())
                .optional("error_count", count())
                .optional("total_scenarios", Field::count(0..=MOST).further(total)),
        )
        .ok::<RunView<'_>>("The run, which is final.")
        .refuses(code::INVALID_STATE)
}

fn ending(text: &str) -> Option<FinalStatus> {
    ENDINGS.into_iter().find(|(name, _)| *name == text).map(|(_, status)| status)
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
