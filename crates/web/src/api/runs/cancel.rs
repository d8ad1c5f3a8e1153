use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use preclinical_core::{
    id::{OrganizationId, RunId},
    port::Finish,
    run::{FinalStatus, Run, RunRef, RunStatus},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, code},
    idempotency::Subject,
    input::{Body, Id, SMALL},
    openapi::{Choice, Description, Object, Resource, Topic, Uuid},
};

/// A run that was canceled.
#[derive(Serialize, JsonSchema)]
struct CanceledRun {
    #[schemars(with = "Uuid")]
    id: RunId,
    #[schemars(with = "Choice<RunStatus>")]
    status: &'static str,
    message: String,
}

/// Ends a run that nobody waits for any more. Its webhook hears of it.
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    subject: Subject,
    Body(body): Body<SMALL>,
) -> Result<Response, ApiError> {
    let run: RunRef = id.parse(ApiError::run_not_found)?;
    body.finish()?;
    let run = cancel_run(&app, caller.organization, run, subject).await?;
    let message = format!("{} was canceled", run.number);
    Ok(Json(CanceledRun { id: run.id, status: run.status.as_str(), message }).into_response())
}

/// Ends the run as canceled, for whoever may.
pub(crate) async fn cancel_run(
    app: &Arc<App>,
    organization_id: OrganizationId,
    run: RunRef,
    subject: Subject,
) -> Result<Run, ApiError> {
    app.ending(subject, move |store, at, dispatch| async move {
        store.finish_run(Finish { organization_id, run, to: FinalStatus::Canceled, counts: None, at, dispatch }).await
    })
    .await
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Runs, "cancel_run", "Cancel a run")
        .text("Its webhook hears of it.")
        .of(Resource::Run)
        .body(Object::new())
        .ok::<CanceledRun>("The run is canceled.")
        .refuses(code::INVALID_STATE)
}
