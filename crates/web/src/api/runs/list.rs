use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use preclinical_core::{port::RunFilter, run::RunStatus};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Query,
    openapi::{Description, Field, Parameter, Topic},
    wire::{self, RunRow},
};

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    mut query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let statuses = "one of pending, running, grading, completed, failed, canceled";
    let filter = RunFilter { status: query.parsed("status", statuses, RunStatus::parse)?, agent_id: query.id("agent_id")? };
    let page = query.page()?;
    query.finish()?;
    let (runs, total) = app.store.runs(caller.organization, filter, page).await?;
    let views: Vec<RunRow<'_>> = runs.iter().map(RunRow::from).collect();
    Ok(wire::list("runs", &views, total, page))
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Runs, "list_runs", "List runs")
        .text("Newest first.")
        .parameter(Parameter::query("status", Field::choice::<RunStatus>()))
        .parameter(Parameter::query("agent_id", Field::id().says("Only runs of this agent.")))
        .page::<RunRow<'_>>("runs")
}
