use std::sync::Arc;

use axum::{extract::State, http::StatusCode};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    etag::IfMatch,
    input::Id,
    openapi::{Description, Resource, Topic},
};

pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, ApiError> {
    let id = id.parse(super::missing)?;
    let existed = app.store.delete_webhook(caller.organization, id, expected, app.clock.now()).await?;
    if existed { Ok(StatusCode::NO_CONTENT) } else { Err(super::missing()) }
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Webhooks, "delete_webhook", "Delete a webhook")
        .text("Its pending deliveries are canceled; they stay in the history.")
        .of(Resource::Webhook)
        .no_content("It is gone.")
        .if_unchanged()
}
