use std::sync::Arc;

use axum::{extract::State, response::Response};
use preclinical_core::{port::UpdateWebhookError, webhook::WebhookChanges};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    etag::{IfMatch, Tag},
    input::{Body, Id, Length, SMALL},
    openapi::{Description, Field, Object, Resource, Topic},
    wire::WebhookView,
};

/// Changes the fields that are present. `null` removes the secret, all custom headers or the description.
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    IfMatch(expected): IfMatch,
    Body(mut body): Body<SMALL>,
) -> Result<Response, ApiError> {
    let id = id.parse(super::missing)?;
    let without_secret = body.take_null("secret");
    let without_headers = body.take_null("headers");
    let without_description = body.take_null("description");
    let changes = WebhookChanges {
        expected,
        url: super::url(&app, &mut body)?,
        secret: super::secret(&mut body)?.map(Some).or(without_secret.then_some(None)),
        headers: super::headers(&mut body)?.or(without_headers.then(Vec::new)),
        description: body.text("description", Length::DESCRIPTION)?.map(Some).or(without_description.then_some(None)),
        is_enabled: body.flag("is_enabled")?,
        replay_on_recovery: super::replay_on_recovery(&mut body)?,
    };
    body.finish()?;
    let webhook = app.store.update_webhook(caller.organization, id, changes, app.clock.now()).await?;
    Ok(Tag::from(&webhook).on(WebhookView::from(&webhook)))
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Webhooks, "update_webhook", "Change a webhook")
        .text("Changes the fields that are present. `null` removes the secret, all custom headers or the description; any other field stays as it is.")
        .of(Resource::Webhook)
        .body(
            Object::new()
                .optional("url", super::url_field())
                .optional("secret", super::secret_field())
                .optional("headers", super::headers::changed_field())
                .optional("description", Field::text(Length::DESCRIPTION))
                .optional("is_enabled", Field::flag().says("`false` cancels its pending deliveries."))
                .optional("replay_on_recovery", super::replay_on_recovery::field()),
        )
        .ok::<WebhookView<'_>>("The webhook as it is now.")
        .tagged()
        .if_unchanged()
}

impl From<UpdateWebhookError> for ApiError {
    fn from(error: UpdateWebhookError) -> Self {
        match error {
            UpdateWebhookError::Stale => Self::stale(),
            UpdateWebhookError::NotFound => super::missing(),
            UpdateWebhookError::Header(refused) => refused.into(),
            UpdateWebhookError::Store(error) => error.into(),
        }
    }
}
