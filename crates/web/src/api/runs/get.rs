use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};

use crate::{app::App, auth::Caller, error::ApiError, input::Id, wire::RunView};

pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller, id: Id) -> Result<impl IntoResponse, ApiError> {
    let id = id.parse(ApiError::run_not_found)?;
    let run = app.store.run(caller.organization, id).await?.ok_or_else(ApiError::run_not_found)?;
    Ok(Json(RunView::from(&run)).into_response())
}
