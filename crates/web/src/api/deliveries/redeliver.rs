use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use preclinical_core::{
    delivery::Delivery,
    id::{DeliveryId, OrganizationId},
    port::{Enqueued, RedeliverError, Redelivery},
};

use crate::{
    app::{self, App},
    auth::Caller,
    error::{ApiError, code},
    idempotency::Subject,
    input::{Body, Id, SMALL},
    openapi::{Description, Object, Resource, Topic},
    wire::DeliveryView,
};

/// Writes a new delivery of the same event and sends it at once.
pub(crate) async fn redeliver(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    subject: Subject,
    Body(body): Body<SMALL>,
) -> Result<impl IntoResponse, ApiError> {
    let of = id.parse(super::missing)?;
    body.finish()?;
    let delivery = app::to_its_end(enqueue(app, caller.organization, of, subject)).await??;
    let location = [(header::LOCATION, format!("/api/v1/webhooks/deliveries/{}", delivery.id))];
    Ok((StatusCode::ACCEPTED, location, Json(DeliveryView::from(&delivery))).into_response())
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Deliveries, "redeliver", "Repeat a delivery")
        .text("Writes a new delivery of the same event, also of one that was delivered, and sends it at once.")
        .of(Resource::Delivery)
        .body(Object::new())
        .accepted::<DeliveryView<'_>>("The new delivery.")
        .located(Resource::Delivery)
        .refuses(code::INVALID_STATE)
}

/// Writes the repetition and hands it over to be sent.
pub(crate) async fn enqueue(
    app: Arc<App>,
    organization_id: OrganizationId,
    of: DeliveryId,
    subject: Subject,
) -> Result<Delivery, RedeliverError> {
    let at = app.clock.now();
    let offer = app.handoff.offer();
    let places = Arc::clone(&offer) as _;
    let delivery_id = DeliveryId::from_uuid(subject.uuid(at, &*app.chance));
    let Enqueued { delivery, claimed } =
        app.store.redeliver(Redelivery { organization_id, of, delivery_id, places, at }).await?;
    match claimed {
        Some(claimed) => drop(offer.send(claimed)),
        None => app.handoff.wake(),
    }
    Ok(delivery)
}

impl From<RedeliverError> for ApiError {
    fn from(error: RedeliverError) -> Self {
        let current = match error {
            RedeliverError::NotFound => return super::missing(),
            RedeliverError::Store(error) => return error.into(),
            RedeliverError::WebhookDeleted => "webhook_deleted",
            RedeliverError::WebhookDisabled => "webhook_disabled",
        };
        Self::invalid_state(error.to_string(), current)
    }
}
