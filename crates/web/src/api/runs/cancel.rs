use std::sync::Arc;

use axum::{Json, extract::State};
use preclinical_core::{
    port::Finish,
    run::{FinalStatus, RunRef},
};
use serde_json::{Value, json};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    idempotency::Subject,
    input::{Body, Id, SMALL},
};

/// Ends a run that nobody waits for any more. Its webhook hears of it.
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    subject: Subject,
    Body(body): Body<SMALL>,
) -> Result<Json<Value>, ApiError> {
    let run: RunRef = id.parse(ApiError::run_not_found)?;
    body.finish()?;
    let organization_id = caller.organization;
    let run = app
        .ending(subject, move |store, at, dispatch| async move {
            store.finish_run(Finish { organization_id, run, to: FinalStatus::Canceled, counts: None, at, dispatch }).await
        })
        .await?;
    let message = format!("{} was canceled", run.number);
    Ok(Json(json!({"id": run.id, "status": run.status.as_str(), "message": message})))
}
