use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Id,
    openapi::{Description, Resource, Topic},
    wire::RedeliveryJobView,
};

/// How far a bulk redelivery has got.
pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller, id: Id) -> Result<impl IntoResponse, ApiError> {
    let id = id.parse(super::missing)?;
    let job = app.store.redelivery_job(caller.organization, id).await?.ok_or_else(super::missing)?;
    Ok(Json(RedeliveryJobView::from(&job)).into_response())
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Redeliveries, "get_redelivery", "How far a bulk redelivery has got")
        .of(Resource::Redelivery)
        .ok::<RedeliveryJobView>("The bulk redelivery.")
}
