use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Id,
    openapi::{Description, Resource, Topic},
    wire::{AttemptView, DeliveryView},
};

/// A delivery with its attempts.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeliveryDetail")]
struct Detail<'a> {
    #[serde(flatten)]
    delivery: DeliveryView<'a>,
    attempts: Vec<AttemptView<'a>>,
}

/// A delivery with every attempt, down to the bytes.
pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller, id: Id) -> Result<impl IntoResponse, ApiError> {
    let id = id.parse(super::missing)?;
    let (delivery, attempts) = app.store.delivery(caller.organization, id).await?.ok_or_else(super::missing)?;
    let attempts = attempts.iter().map(AttemptView::from).collect();
    Ok(Json(Detail { delivery: DeliveryView::from(&delivery), attempts }).into_response())
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Deliveries, "get_delivery", "Read a delivery with every attempt, down to the bytes")
        .of(Resource::Delivery)
        .ok::<Detail<'_>>("The delivery and its attempts.")
}
