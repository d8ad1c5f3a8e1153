use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use preclinical_core::{port::UpdateWebhookError, webhook::WebhookChanges};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::{Body, Id, Length, SMALL},
    wire::WebhookView,
};

/// Changes the fields that are present. `null` removes the secret or the description.
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    Body(mut body): Body<SMALL>,
) -> Result<impl IntoResponse, ApiError> {
    let id = id.parse(super::missing)?;
    let without_secret = body.take_null("secret");
    let without_description = body.take_null("description");
    let changes = WebhookChanges {
        url: super::url(&app, &mut body)?,
        secret: super::secret(&mut body)?.map(Some).or(without_secret.then_some(None)),
        description: body.text("description", Length::Text(2000))?.map(Some).or(without_description.then_some(None)),
        is_enabled: body.flag("is_enabled")?,
    };
    body.finish()?;
    let webhook = app.store.update_webhook(caller.organization, id, changes, app.clock.now()).await?;
    Ok(Json(WebhookView::from(&webhook)).into_response())
}

impl From<UpdateWebhookError> for ApiError {
    fn from(error: UpdateWebhookError) -> Self {
        match error {
            UpdateWebhookError::NotFound => super::missing(),
            UpdateWebhookError::Store(error) => error.into(),
        }
    }
}
