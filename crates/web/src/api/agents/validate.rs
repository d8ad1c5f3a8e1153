use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::Value;

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::{Body, Id, SMALL},
    validation,
};

/// Checks an agent's configuration as far as that can be done from here, and says what was not checked.
pub(crate) async fn validate(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    Body(body): Body<SMALL>,
) -> Result<Json<Value>, ApiError> {
    let id = id.parse(ApiError::agent_not_found)?;
    body.finish()?;
    let found = app.store.agent_config(caller.organization, id).await?;
    let (agent, config) = found.ok_or_else(ApiError::agent_not_found)?;
    Ok(Json(validation::of(&*app.prober, agent.provider, &config).await.into()))
}
