use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Query,
    openapi::{Description, Topic},
    wire::{self, ApiKeyView},
};

/// The organization's keys, newest first, also those that expired or were revoked.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    mut query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let page = query.page()?;
    query.finish()?;
    let (keys, total) = app.store.keys(caller.organization, page).await?;
    let views: Vec<ApiKeyView<'_>> = keys.iter().map(ApiKeyView::from).collect();
    Ok(wire::list("api_keys", &views, total, page))
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::ApiKeys, "list_api_keys", "List API keys")
        .text("Newest first, also those that expired or were revoked.")
        .page::<ApiKeyView<'_>>("api_keys")
}
