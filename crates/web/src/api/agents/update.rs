use std::sync::Arc;

use axum::{extract::State, response::Response};
use preclinical_core::{agent::AgentChanges, port::UpdateAgentError};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    etag::{IfMatch, Tag},
    input::{Body, Id, Length, SMALL},
    wire::AgentView,
};

/// Changes the fields that are present. `null` removes the description.
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    IfMatch(expected): IfMatch,
    Body(mut body): Body<SMALL>,
) -> Result<Response, ApiError> {
    let id = id.parse(ApiError::agent_not_found)?;
    let without_description = body.take_null("description");
    let changes = AgentChanges {
        expected,
        provider: super::provider(&mut body)?,
        name: body.text("name", Length::Line(200))?,
        description: body.text("description", Length::Text(2000))?.map(Some).or(without_description.then_some(None)),
        config: super::config(&mut body)?,
        is_active: body.flag("is_active")?,
    };
    body.finish()?;
    let agent = app.store.update_agent(caller.organization, id, changes, app.clock.now()).await?;
    Ok(Tag::from(&agent).on(AgentView::from(&agent)))
}

impl From<UpdateAgentError> for ApiError {
    fn from(error: UpdateAgentError) -> Self {
        match error {
            UpdateAgentError::Stale => Self::stale(),
            UpdateAgentError::NotFound => Self::agent_not_found(),
            UpdateAgentError::NameTaken => Self::already_exists("there is an agent of that name"),
            UpdateAgentError::Store(error) => error.into(),
        }
    }
}
