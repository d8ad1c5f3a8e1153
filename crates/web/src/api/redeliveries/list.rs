use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Query,
    openapi::{Description, Topic},
    wire::{self, RedeliveryJobView},
};

/// The organization's bulk redeliveries, newest first.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    mut query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let page = query.page()?;
    query.finish()?;
    let (jobs, total) = app.store.redelivery_jobs(caller.organization, page).await?;
    let views: Vec<RedeliveryJobView> = jobs.iter().map(RedeliveryJobView::from).collect();
    Ok(wire::list("redeliveries", &views, total, page))
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Redeliveries, "list_redeliveries", "List bulk redeliveries")
        .text("Newest first.")
        .page::<RedeliveryJobView>("redeliveries")
}
