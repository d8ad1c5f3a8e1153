use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use preclinical_core::delivery::DeliveryStatus;

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Query,
    live::{Deliveries, LastEventId, Which, tell},
    openapi::{Description, Field, Parameter, Topic},
    wire::DeliveryView,
};

/// The organization's deliveries, each whenever it is created or changes, from now or from `Last-Event-ID` on, without an end.
/// `status` restricts to deliveries that have it now.
pub(crate) async fn stream(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    mut query: Query,
) -> Result<Response, ApiError> {
    let which = Which {
        status: query.parsed("status", "one of pending, delivered, failed, canceled", DeliveryStatus::parse)?,
        webhook_id: query.id("webhook_id")?,
        agent_id: query.id("agent_id")?,
    };
    let last = LastEventId::take(&headers, &mut query)?;
    query.finish()?;
    let place = last.map(|last| last.place(|id| Deliveries::place(caller.organization, id))).transpose()?;
    let latest = app.store.latest_change(caller.organization).await?;
    // A store that was restored from a backup may be behind what its clients saw.
    let after = place.map_or(latest, |place| place.min(latest));
    let story = Deliveries::after(caller.organization, which, after);
    tell(app, caller, story).await
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
