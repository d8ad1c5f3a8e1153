use std::sync::Arc;

use axum::{extract::State, response::Response};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    etag::{IfNoneMatch, Tag},
    input::Id,
    openapi::{Description, Resource, Topic},
    wire::AgentView,
};

pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    known: IfNoneMatch,
) -> Result<Response, ApiError> {
    let id = id.parse(ApiError::agent_not_found)?;
    let agent = app.store.agent(caller.organization, id).await?.ok_or_else(ApiError::agent_not_found)?;
    Ok(Tag::from(&agent).unless(&known, AgentView::from(&agent)))
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Agents, "get_agent", "Read an agent")
        .of(Resource::Agent)
        .ok::<AgentView<'_>>("The agent.")
        .unless_known()
}
