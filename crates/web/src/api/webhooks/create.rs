use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use preclinical_core::{
    custom_header::CustomHeaders,
    health::Health,
    id::WebhookId,
    port::{CreateWebhookError, NewWebhook},
    version::Version,
    webhook::Webhook,
};

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, code},
    etag::Tag,
    idempotency::Subject,
    input::{Body, Length, SMALL},
    openapi::{Description, Field, Object, Resource, Topic},
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
    let headers = CustomHeaders::default().changed(super::headers(&mut body)?.unwrap_or_default())?;
    let webhook = Webhook {
        id: WebhookId::from_uuid(subject.uuid(now, &*app.chance)),
        organization_id: caller.organization,
        agent_id: body.id("agent_id")?,
        url: body.require("url", url)?,
        has_secret: secret.is_some(),
        rotated_until: None,
        header_names: headers.names(),
        description: body.text("description", Length::DESCRIPTION)?,
        is_enabled: body.flag("is_enabled")?.unwrap_or(true),
        disabled_reason: None,
        replay_on_recovery: super::replay_on_recovery(&mut body)?.unwrap_or_default(),
        health: Health::default(),
        version: Version::FIRST,
        created_at: now,
        updated_at: now,
    };
    body.finish()?;
    let webhook = app.store.create_webhook(NewWebhook { webhook, secret, headers }).await?;
    let location = [(header::LOCATION, format!("/api/v1/webhooks/{}", webhook.id))];
    Ok((StatusCode::CREATED, location, Tag::from(&webhook).on(WebhookView::from(&webhook))).into_response())
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Webhooks, "create_webhook", "Create a webhook")
        .text("One for the organization, and one for each agent, which overrides it.")
        .body(
            Object::new()
                .required("url", super::url_field())
                .optional("secret", super::secret_field())
                .optional("headers", super::headers::new_field())
                .optional("description", Field::text(Length::DESCRIPTION))
                .optional("agent_id", Field::id().says("Whose it is; the organization's if it is missing."))
                .optional("is_enabled", Field::flag().unless_told(true))
                .optional("replay_on_recovery", super::replay_on_recovery::field().unless_told("off")),
        )
        .created::<WebhookView<'_>>("The webhook.")
        .located(Resource::Webhook)
        .tagged()
        .refuses(code::AGENT_IN_BODY_NOT_FOUND)
        .refuses(code::ALREADY_EXISTS)
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
