use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use preclinical_core::{
    agent::{Agent, Provider},
    id::{AgentId, OrganizationId},
    port::{CreateAgentError, NewAgent},
    version::Version,
};

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, code},
    etag::Tag,
    idempotency::Subject,
    input::{Body, Fields, Length, SMALL},
    openapi::{Description, Field, Object, Resource, Topic},
    wire::AgentView,
};

pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    subject: Subject,
    Body(body): Body<SMALL>,
) -> Result<Response, ApiError> {
    let now = app.clock.now();
    let id = AgentId::from_uuid(subject.uuid(now, &*app.chance));
    let agent = app.store.create_agent(described(body, id, caller.organization, now)?).await?;
    let location = [(header::LOCATION, format!("/api/v1/agents/{}", agent.id))];
    Ok((StatusCode::CREATED, location, Tag::from(&agent).on(AgentView::from(&agent))).into_response())
}

/// An agent as a body describes it.
pub(crate) fn described(
    mut body: Fields,
    id: AgentId,
    organization_id: OrganizationId,
    now: Timestamp,
) -> Result<NewAgent, ApiError> {
    let provider = super::provider(&mut body)?;
    let name = body.text("name", Length::NAME)?;
    let config = super::config(&mut body)?;
    let description = body.text("description", Length::DESCRIPTION)?;
    let is_active = body.flag("is_active")?.unwrap_or(true);
    let (provider, name) = (body.require("provider", provider)?, body.require("name", name)?);
    let config = body.require("config", config)?;
    body.finish()?;
    let version = Version::FIRST;
    let agent =
        Agent { id, organization_id, provider, name, description, is_active, version, created_at: now, updated_at: now };
    Ok(NewAgent { agent, config })
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Agents, "create_agent", "Create an agent")
        .body(
            Object::new()
                .required("provider", Field::choice::<Provider>().says("Where the agent runs."))
                .required("name", Field::text(Length::NAME).says("Unique in the organization."))
                .required("config", super::config_field())
                .optional("description", Field::text(Length::DESCRIPTION))
                .optional("is_active", Field::flag().unless_told(true)),
        )
        .created::<AgentView<'_>>("The agent.")
        .located(Resource::Agent)
        .tagged()
        .refuses(code::ALREADY_EXISTS)
}

impl From<CreateAgentError> for ApiError {
    fn from(error: CreateAgentError) -> Self {
        match error {
            CreateAgentError::NameTaken => Self::already_exists("there is an agent of that name"),
            CreateAgentError::Store(error) => error.into(),
        }
    }
}
