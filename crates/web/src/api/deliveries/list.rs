use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use preclinical_core::{delivery::DeliveryStatus, id::OrganizationId, port::DeliveryFilter};
use schemars::JsonSchema;
use serde::Serialize;

use super::cursor;
use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Query,
    openapi::{Description, Field, Parameter, Topic},
    wire::DeliveryView,
};

/// A page of the history.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeliveryPage")]
pub(super) struct History<'a> {
    deliveries: Vec<DeliveryView<'a>>,
    /// `cursor` of the next page; `null` on the last one.
    next_cursor: Option<String>,
}

/// The history of the organization.
pub(crate) async fn list(State(app): State<Arc<App>>, caller: Caller, mut query: Query) -> Result<Response, ApiError> {
    let webhook_id = query.id("webhook_id")?;
    page(&app, caller.organization, DeliveryFilter { webhook_id, ..filter(query)? }).await
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Deliveries, "list_deliveries", "Search the delivery history")
        .text("Newest first. Pages stay as they are while deliveries arrive.")
        .parameter(Parameter::query("webhook_id", Field::id()))
        .parameters(parameters())
        .ok::<History<'_>>("A page of the history.")
}

/// What both histories can be asked for.
pub(super) fn parameters() -> [Parameter; 8] {
    let any_text = Field::of(serde_json::json!({"type": "string"}));
    [
        Parameter::query("status", Field::choice::<DeliveryStatus>()),
        Parameter::query("agent_id", Field::id()),
        Parameter::query("run_id", Field::id()),
        Parameter::query("q", any_text.clone().says("Free text: any id, or the number of a run.")),
        Parameter::query("created_after", Field::time().says("Created then or later.")),
        Parameter::query("created_before", Field::time().says("Created before that.")),
        Parameter::query("cursor", any_text.further("must be a `next_cursor` of an earlier answer")),
        Parameter::limit(),
    ]
}

pub(super) fn filter(mut query: Query) -> Result<DeliveryFilter, ApiError> {
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

pub(super) async fn page(app: &App, organization: OrganizationId, filter: DeliveryFilter) -> Result<Response, ApiError> {
    let page = app.store.deliveries(organization, filter).await?;
    let deliveries = page.deliveries.iter().map(DeliveryView::from).collect();
    Ok(Json(History { deliveries, next_cursor: page.next.map(cursor::write) }).into_response())
}
