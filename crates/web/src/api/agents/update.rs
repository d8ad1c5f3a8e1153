use std::sync::Arc;

use axum::{extract::State, response::Response};
use preclinical_core::{
    agent::{AgentChanges, Provider},
    port::UpdateAgentError,
    version::Expected,
};

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, code},
    etag::{IfMatch, Tag},
    input::{Body, Fields, Id, Length, SMALL},
    openapi::{Description, Field, Object, Resource, Topic},
    wire::AgentView,
};

/// Changes the fields that are present. `null` removes the description.
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    IfMatch(expected): IfMatch,
    Body(body): Body<SMALL>,
) -> Result<Response, ApiError> {
    let id = id.parse(ApiError::agent_not_found)?;
    let changes = described(body, expected)?;
    let agent = app.store.update_agent(caller.organization, id, changes, app.clock.now()).await?;
    Ok(Tag::from(&agent).on(AgentView::from(&agent)))
}

/// Changes as a body describes them.
pub(crate) fn described(mut body: Fields, expected: Expected) -> Result<AgentChanges, ApiError> {
    let without_description = body.take_null("description");
    let changes = AgentChanges {
        expected,
        provider: super::provider(&mut body)?,
        name: body.text("name", Length::NAME)?,
        description: body.text("description", Length::DESCRIPTION)?.map(Some).or(without_description.then_some(None)),
        config: super::config(&mut body)?,
        is_active: body.flag("is_active")?,
    };
    body.finish()?;
    Ok(changes)
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Agents, "update_agent", "Change an agent")
        .text("Changes the fields that are present. `null` removes the description; any other field stays as it is.")
        .of(Resource::Agent)
        .body(
            Object::new()
                .optional("provider", Field::choice::<Provider>())
                .optional("name", Field::text(Length::NAME).says("Unique in the organization."))
                .optional("config", super::config_field())
                .optional("description", Field::text(Length::DESCRIPTION))
                .optional("is_active", Field::flag()),
        )
        .ok::<AgentView<'_>>("The agent as it is now.")
        .tagged()
        .if_unchanged()
        .refuses(code::ALREADY_EXISTS)
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
