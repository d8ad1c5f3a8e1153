use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use preclinical_core::{
    id::{DeliveryId, EventId, OrganizationId, WebhookId},
    port::{AttemptSummary, Reservation, TestDelivery},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::{self, App},
    auth::Caller,
    error::ApiError,
    input::{Body, Id, SMALL},
    openapi::{Description, HttpStatus, Object, Resource, Topic},
};

/// How a test delivery ended.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TestDelivery")]
struct Outcome {
    /// Whether the receiver answered 2xx.
    success: bool,
    message: String,
    /// What it answered, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "HttpStatus")]
    http_status: Option<u16>,
}

/// Sends a test delivery and waits for its one attempt to end. One whose outcome was lost in a crash is sent again under the
/// same `Idempotency-Key`: nobody can tell how it ended.
pub(crate) async fn test(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    Body(body): Body<SMALL>,
) -> Result<Response, ApiError> {
    let webhook = id.parse(super::missing)?;
    body.finish()?;
    let (_, summary) = send(app, caller.organization, webhook).await?;
    Ok(Json(Outcome::from(&summary)).into_response())
}

/// Sends a test delivery to its end, which it reaches also when nobody waits for it any more.
pub(crate) async fn send(
    app: Arc<App>,
    organization: OrganizationId,
    webhook: WebhookId,
) -> Result<(DeliveryId, AttemptSummary), ApiError> {
    let place = app.handoff.reserve_for_test(organization, webhook);
    let place = place.ok_or_else(|| ApiError::busy("too many deliveries are under way; try again"))?;
    app::to_its_end(attempt(app, organization, webhook, place)).await?
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Webhooks, "test_webhook", "Send a test delivery")
        .text("Waits for its one attempt to end.")
        .of(Resource::Webhook)
        .body(Object::new())
        .ok::<Outcome>("How the attempt ended, also if it failed.")
}

async fn attempt(
    app: Arc<App>,
    organization_id: OrganizationId,
    webhook_id: WebhookId,
    place: Box<dyn Reservation>,
) -> Result<(DeliveryId, AttemptSummary), ApiError> {
    let at = app.clock.now();
    let (event_id, delivery_id) = (EventId::generate(at, &*app.chance), DeliveryId::generate(at, &*app.chance));
    let test = TestDelivery { organization_id, webhook_id, event_id, delivery_id, lease: place.lease(), at };
    let claimed = app.store.enqueue_test(test).await?.ok_or_else(super::missing)?;
    let summary = place.send(claimed).await.ok_or_else(ApiError::internal)?;
    Ok((delivery_id, summary))
}

impl From<&AttemptSummary> for Outcome {
    fn from(summary: &AttemptSummary) -> Self {
        let message = match (&summary.error, summary.http_status) {
            (Some(error), _) => error.message.clone(),
            (None, Some(status)) if summary.delivered => format!("the receiver answered {status}"),
            (None, Some(status)) => format!("the receiver answered {status}, which is not a success"),
            (None, None) => "no answer".to_owned(),
        };
        Self { success: summary.delivered, message, http_status: summary.http_status }
    }
}
