use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use serde::Serialize;

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Id,
    wire::{AttemptView, DeliveryView},
};

#[derive(Serialize)]
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
