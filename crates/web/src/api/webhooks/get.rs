use std::sync::Arc;

use axum::{extract::State, response::Response};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    etag::{IfNoneMatch, Tag},
    input::Id,
    openapi::{Description, Resource, Topic},
    wire::WebhookView,
};

pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    known: IfNoneMatch,
) -> Result<Response, ApiError> {
    let id = id.parse(super::missing)?;
    let webhook = app.store.webhook(caller.organization, id).await?.ok_or_else(super::missing)?;
    Ok(Tag::from(&webhook).unless(&known, WebhookView::from(&webhook)))
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Webhooks, "get_webhook", "Read a webhook")
        .of(Resource::Webhook)
        .ok::<WebhookView<'_>>("The webhook.")
        .unless_known()
}
