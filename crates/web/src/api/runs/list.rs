use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use preclinical_core::{port::RunFilter, run::RunStatus};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Query,
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
