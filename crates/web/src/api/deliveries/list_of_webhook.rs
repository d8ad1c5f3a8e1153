use std::sync::Arc;

use axum::{extract::State, response::Response};
use preclinical_core::port::DeliveryFilter;

use super::list::{History, filter, page, parameters};
use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::{Id, Query},
    openapi::{Description, Resource, Topic},
};

/// The history of one webhook.
pub(crate) async fn list_of_webhook(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    query: Query,
) -> Result<Response, ApiError> {
    let missing = || ApiError::not_found("webhook");
    let webhook_id = Some(id.parse(missing)?);
    let filter = DeliveryFilter { webhook_id, ..filter(query)? };
    app.store.webhook(caller.organization, id.parse(missing)?).await?.ok_or_else(missing)?;
    page(&app, caller.organization, filter).await
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Deliveries, "list_deliveries_of_webhook", "Search the delivery history of a webhook")
        .text("Newest first. Pages stay as they are while deliveries arrive.")
        .of(Resource::Webhook)
        .parameters(parameters())
        .ok::<History<'_>>("A page of the history.")
}
