use std::sync::Arc;

use axum::{Json, extract::State};
use preclinical_core::{delivery::DeliveryStatus, id::OrganizationId, port::DeliveryFilter};
use serde_json::{Value, json};

use super::cursor;
use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::{Id, Query},
    wire::DeliveryView,
};

/// The history of the organization.
pub(crate) async fn list(State(app): State<Arc<App>>, caller: Caller, mut query: Query) -> Result<Json<Value>, ApiError> {
    let webhook_id = query.id("webhook_id")?;
    page(&app, caller.organization, DeliveryFilter { webhook_id, ..filter(query)? }).await
}

/// The history of one webhook.
pub(crate) async fn list_of_webhook(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let missing = || ApiError::not_found("webhook");
    let webhook_id = Some(id.parse(missing)?);
    let filter = DeliveryFilter { webhook_id, ..filter(query)? };
    app.store.webhook(caller.organization, id.parse(missing)?).await?.ok_or_else(missing)?;
    page(&app, caller.organization, filter).await
}

fn filter(mut query: Query) -> Result<DeliveryFilter, ApiError> {
    let filter = DeliveryFilter {
        status: query.parsed("status", "one of pending, delivered, failed, canceled", DeliveryStatus::parse)?,
        webhook_id: None,
        agent_id: query.id("agent_id")?,
        run_id: query.id("run_id")?,
        search: query.search("q")?,
        created_after: query.time("created_after")?,
        created_before: query.time("created_before")?,
        cursor: query.parsed("cursor", "a next_cursor of an earlier answer", cursor::read)?,
        limit: query.limit()?,
    };
    query.finish()?;
    Ok(filter)
}

async fn page(app: &App, organization: OrganizationId, filter: DeliveryFilter) -> Result<Json<Value>, ApiError> {
    let page = app.store.deliveries(organization, filter).await?;
    let views: Vec<DeliveryView<'_>> = page.deliveries.iter().map(DeliveryView::from).collect();
    Ok(Json(json!({"deliveries": views, "next_cursor": page.next.map(cursor::write)})))
}
