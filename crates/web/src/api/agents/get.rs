use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};

use crate::{app::App, auth::Caller, error::ApiError, input::Id, wire::AgentView};

pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller, id: Id) -> Result<impl IntoResponse, ApiError> {
    let id = id.parse(ApiError::agent_not_found)?;
    let agent = app.store.agent(caller.organization, id).await?.ok_or_else(ApiError::agent_not_found)?;
    Ok(Json(AgentView::from(&agent)).into_response())
}
