use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use preclinical_core::{
    id::WebhookId,
    port::{CreateWebhookError, NewWebhook},
    version::Version,
    webhook::Webhook,
};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    etag::Tag,
    idempotency::Subject,
    input::{Body, Length, SMALL},
    wire::WebhookView,
};

pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    subject: Subject,
    Body(mut body): Body<SMALL>,
) -> Result<Response, ApiError> {
    let url = super::url(&app, &mut body)?;
    let now = app.clock.now();
    let secret = super::secret(&mut body)?;
    let webhook = Webhook {
        id: WebhookId::from_uuid(subject.uuid(now, &*app.chance)),
        organization_id: caller.organization,
        agent_id: body.id("agent_id")?,
        url: body.require("url", url)?,
        has_secret: secret.is_some(),
        rotated_until: None,
        description: body.text("description", Length::Text(2000))?,
        is_enabled: body.flag("is_enabled")?.unwrap_or(true),
        last_triggered_at: None,
        consecutive_failures: 0,
        version: Version::FIRST,
        created_at: now,
        updated_at: now,
    };
    body.finish()?;
    let webhook = app.store.create_webhook(NewWebhook { webhook, secret }).await?;
    let location = [(header::LOCATION, format!("/api/v1/webhooks/{}", webhook.id))];
    Ok((StatusCode::CREATED, location, Tag::from(&webhook).on(WebhookView::from(&webhook))).into_response())
}

impl From<CreateWebhookError> for ApiError {
    fn from(error: CreateWebhookError) -> Self {
        match error {
            CreateWebhookError::AgentNotFound => Self::agent_in_body_not_found(),
            CreateWebhookError::Exists => Self::already_exists("there is a webhook at this level; change it or delete it"),
            CreateWebhookError::Store(error) => error.into(),
        }
    }
}
