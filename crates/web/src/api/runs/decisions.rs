use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::{Id, Query},
    openapi::{Description, Resource, Topic},
    wire::{self, DecisionView},
};

/// What was decided each time the run ended, newest first: who was told, who was not, and why. Empty for a run that is not final.
pub(crate) async fn decisions(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    mut query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let run = id.parse(ApiError::run_not_found)?;
    let page = query.page()?;
    query.finish()?;
    let found = app.store.decisions(caller.organization, run, page).await?;
    let (decisions, total) = found.ok_or_else(ApiError::run_not_found)?;
    let views: Vec<DecisionView<'_>> = decisions.iter().map(DecisionView::from).collect();
    Ok(wire::list("decisions", &views, total, page))
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Runs, "list_decisions", "Who was told of a run, who was not, and why")
        .text("What was decided each time the run ended, newest first. Empty for a run that is not final.")
        .of(Resource::Run)
        .page::<DecisionView<'_>>("decisions")
}
