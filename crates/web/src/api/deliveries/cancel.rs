use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use preclinical_core::{
    delivery::Delivery,
    id::{DeliveryId, OrganizationId},
    port::CancelDeliveryError,
};

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, code},
    input::{Body, Id, SMALL},
    openapi::{Description, Object, Resource, Topic},
    wire::DeliveryView,
};

/// Ends a delivery that is still pending.
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    Body(body): Body<SMALL>,
) -> Result<impl IntoResponse, ApiError> {
    let id = id.parse(super::missing)?;
    body.finish()?;
    let delivery = end(&app, caller.organization, id).await?;
    Ok(Json(DeliveryView::from(&delivery)).into_response())
}

/// Ends it, for whoever may.
pub(crate) async fn end(app: &App, organization: OrganizationId, id: DeliveryId) -> Result<Delivery, CancelDeliveryError> {
    let delivery = app.store.cancel_delivery(organization, id, app.clock.now()).await?;
    // A bulk redelivery that has as many pending as it may have goes on with the next one.
    app.handoff.wake_redeliveries();
    Ok(delivery)
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Deliveries, "cancel_delivery", "Cancel a delivery")
        .text(
            "No further attempt is made. One that is under way is not cut off: it is recorded, and if the receiver takes it, the \
             delivery is delivered.",
        )
        .of(Resource::Delivery)
        .body(Object::new())
        .ok::<DeliveryView<'_>>("The delivery, which has ended.")
        .refuses(code::INVALID_STATE)
}

impl From<CancelDeliveryError> for ApiError {
    fn from(error: CancelDeliveryError) -> Self {
        match error {
            CancelDeliveryError::NotFound => super::missing(),
            CancelDeliveryError::AlreadyEnded(status) => Self::invalid_state(error.to_string(), status.as_str()),
            CancelDeliveryError::Store(error) => error.into(),
        }
    }
}
