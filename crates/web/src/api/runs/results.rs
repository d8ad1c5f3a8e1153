use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use serde::Serialize;

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Id,
    wire::{ResultView, RunView},
};

#[derive(Serialize)]
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
