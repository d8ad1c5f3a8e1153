use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use preclinical_core::delivery::DeliveryStatus;

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Query,
    live::{Listener, following},
    openapi::{Description, Field, Parameter, Topic},
    wire::DeliveryView,
};

/// The organization's deliveries, each whenever it is created or changes, from now or from `Last-Event-ID` on, without an end.
/// `status` restricts to deliveries that have it now.
pub(crate) async fn stream(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, ApiError> {
    following::deliveries(app, Listener::Program(caller), &headers, query).await
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Live, "follow_deliveries", "Follow the organization's deliveries")
        .text("Server-sent events without an end: each delivery whenever it is created or changes, as `event: delivery`.")
        .parameter(Parameter::query("status", Field::choice::<DeliveryStatus>().says("Only deliveries that have it now.")))
        .parameter(Parameter::query("webhook_id", Field::id()))
        .parameter(Parameter::query("agent_id", Field::id()))
        .parameters(Parameter::last_event_id())
        .answers_events::<DeliveryView<'_>>("The events.")
}
