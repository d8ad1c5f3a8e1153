use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Id,
    openapi::{Description, Resource, Topic},
    wire::RunView,
};

pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller, id: Id) -> Result<impl IntoResponse, ApiError> {
    let id = id.parse(ApiError::run_not_found)?;
    let run = app.store.run(caller.organization, id).await?.ok_or_else(ApiError::run_not_found)?;
    Ok(Json(RunView::from(&run)).into_response())
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Runs, "get_run", "Read a run").of(Resource::Run).ok::<RunView<'_>>("The run.")
}
