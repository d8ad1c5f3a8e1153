use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use preclinical_core::port::CancelJobError;

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, code},
    input::{Body, Id, SMALL},
    openapi::{Description, Object, Resource, Topic},
    wire::RedeliveryJobView,
};

/// Stops a bulk redelivery. The few deliveries that it has written and that are still pending go on.
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    Body(body): Body<SMALL>,
) -> Result<impl IntoResponse, ApiError> {
    let id = id.parse(super::missing)?;
    body.finish()?;
    let job = app.store.cancel_redelivery_job(caller.organization, id, app.clock.now()).await?;
    Ok(Json(RedeliveryJobView::from(&job)).into_response())
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Redeliveries, "cancel_redelivery", "Stop a bulk redelivery")
        .text("The few deliveries that it has written and that are still pending go on.")
        .of(Resource::Redelivery)
        .body(Object::new())
        .ok::<RedeliveryJobView>("The bulk redelivery, which has ended.")
        .refuses(code::INVALID_STATE)
}

impl From<CancelJobError> for ApiError {
    fn from(error: CancelJobError) -> Self {
        match error {
            CancelJobError::NotFound => super::missing(),
            CancelJobError::AlreadyEnded(status) => Self::invalid_state(error.to_string(), status.as_str()),
            CancelJobError::Store(error) => error.into(),
        }
    }
}
