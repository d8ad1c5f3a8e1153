use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use preclinical_core::agent::Provider;

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Query,
    openapi::{Description, Field, Parameter, Topic},
    wire::{self, AgentView},
};

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    mut query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let provider = query.parsed("provider", "a known provider", Provider::parse)?;
    let page = query.page()?;
    query.finish()?;
    let (agents, total) = app.store.agents(caller.organization, provider, page).await?;
    let views: Vec<AgentView<'_>> = agents.iter().map(AgentView::from).collect();
    Ok(wire::list("agents", &views, total, page))
}

pub(crate) fn describe() -> Description {
    let provider = Parameter::query("provider", Field::choice::<Provider>().says("Only agents that run there."));
    Description::new(Topic::Agents, "list_agents", "List agents").parameter(provider).page::<AgentView<'_>>("agents")
}
