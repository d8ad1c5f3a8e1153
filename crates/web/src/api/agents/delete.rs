use std::sync::Arc;

use axum::{extract::State, http::StatusCode};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    etag::IfMatch,
    input::Id,
    openapi::{Description, Resource, Topic},
};

/// Deletes an agent and its webhook. Its runs stay.
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, ApiError> {
    let id = id.parse(ApiError::agent_not_found)?;
    let existed = app.store.delete_agent(caller.organization, id, expected, app.clock.now()).await?;
    if existed { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::agent_not_found()) }
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Agents, "delete_agent", "Delete an agent")
        .text("Its webhook goes with it; its runs stay.")
        .of(Resource::Agent)
        .no_content("It is gone.")
        .if_unchanged()
}
