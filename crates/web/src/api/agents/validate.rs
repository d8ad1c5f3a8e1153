use std::sync::Arc;

use axum::{Json, extract::State};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::{Body, Id, SMALL},
    openapi::{Description, Object, Resource, Topic},
    validation::{self, Verdict},
};

/// Checks an agent's configuration as far as that can be done from here, and says what was not checked.
pub(crate) async fn validate(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    Body(body): Body<SMALL>,
) -> Result<Json<Verdict>, ApiError> {
    let id = id.parse(ApiError::agent_not_found)?;
    body.finish()?;
    let found = app.store.agent_config(caller.organization, id).await?;
    let (agent, config) = found.ok_or_else(ApiError::agent_not_found)?;
    Ok(Json(validation::of(&*app.prober, agent.provider, &config).await))
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Agents, "validate_agent", "Check an agent's configuration")
        .text("Checks what can be checked from here, and says what was not.")
        .of(Resource::Agent)
        .body(Object::new())
        .ok::<Verdict>("What was found, also if the configuration cannot work.")
}
