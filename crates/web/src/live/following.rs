//! Requests for streams, from programs and from pages alike.

use std::sync::Arc;

use axum::{
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use preclinical_core::{delivery::DeliveryStatus, run::RunRef};

use super::{Deliveries, LastEventId, Listener, OneRun, RunPlace, Which, telling::tell};
use crate::{app::App, error::ApiError, input::Query};

/// The organization's deliveries, each whenever it is created or changes, from now or from `Last-Event-ID` on, without an end.
pub(crate) async fn deliveries(
    app: Arc<App>,
    listener: Listener,
    headers: &HeaderMap,
    mut query: Query,
) -> Result<Response, ApiError> {
    let which = Which {
        status: query.parsed("status", "one of pending, delivered, failed, canceled", DeliveryStatus::parse)?,
        webhook_id: query.id("webhook_id")?,
        agent_id: query.id("agent_id")?,
    };
    let last = LastEventId::take(headers, &mut query)?;
    query.finish()?;
    let organization = listener.organization();
    let place = last.map(|last| last.place(|id| Deliveries::place(organization, id))).transpose()?;
    let latest = app.store.latest_change(organization).await?;
    // A store that was restored from a backup may be behind what its clients saw.
    let after = place.map_or(latest, |place| place.min(latest));
    tell(app, listener, Deliveries::after(organization, which, after)).await
}

/// One run, from its beginning or from `Last-Event-ID` on, to its end. Whoever had the last event gets 204, at which browsers
/// stop coming back.
pub(crate) async fn run(
    app: Arc<App>,
    listener: Listener,
    headers: &HeaderMap,
    mut query: Query,
) -> Result<Response, ApiError> {
    let named = query.parsed::<RunRef>("run_id", "a run's id or a number like TR-00042", |text| text.parse().ok())?;
    let named = named.ok_or_else(|| ApiError::missing("run_id"))?;
    let last = LastEventId::take(headers, &mut query)?;
    query.finish()?;
    let run = app.store.run(listener.organization(), named).await?.ok_or_else(ApiError::run_not_found)?;
    let place = last.map(|last| last.place(|id| RunPlace::read(run.id, id))).transpose()?;
    match OneRun::from(&run, place) {
        Some(story) => tell(app, listener, story).await,
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}
