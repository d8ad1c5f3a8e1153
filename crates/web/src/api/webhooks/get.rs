use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};

use crate::{app::App, auth::Caller, error::ApiError, input::Id, wire::WebhookView};

pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller, id: Id) -> Result<impl IntoResponse, ApiError> {
    let id = id.parse(super::missing)?;
    let webhook = app.store.webhook(caller.organization, id).await?.ok_or_else(super::missing)?;
    Ok(Json(WebhookView::from(&webhook)).into_response())
}
