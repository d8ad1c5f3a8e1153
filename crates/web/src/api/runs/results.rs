use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Id,
    openapi::{Description, Resource, Topic},
    wire::{ResultView, RunView},
};

/// A run with its scenario results.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RunResults")]
struct Results<'a> {
    #[serde(flatten)]
    run: RunView<'a>,
    results: Vec<ResultView<'a>>,
}

pub(crate) async fn results(State(app): State<Arc<App>>, caller: Caller, id: Id) -> Result<impl IntoResponse, ApiError> {
    let id = id.parse(ApiError::run_not_found)?;
    let (run, results) = app.store.results(caller.organization, id).await?.ok_or_else(ApiError::run_not_found)?;
    let results = results.iter().map(ResultView::from).collect();
    Ok(Json(Results { run: RunView::from(&run), results }).into_response())
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Runs, "get_run_results", "Read a run's scenario results")
        .of(Resource::Run)
        .ok::<Results<'_>>("The run and its results.")
}
