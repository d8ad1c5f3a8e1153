use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use preclinical_core::{
    id::{AgentId, WebhookId},
    port::NewWebhook,
    secret::SigningSecret,
    version::{Expected, Version},
    webhook::{Webhook, WebhookChanges},
};

use super::{Panel, Place, Shared, form::Typed};
use crate::{
    api::webhooks,
    app::App,
    error::ApiError,
    input::Length,
    pages::{
        door::{Form, Visitor},
        failure::Failure,
    },
};

/// What a form asks for, as far as it is right.
struct Wish {
    url: String,
    secret: Option<SigningSecret>,
    description: Option<String>,
}

/// `POST /webhooks/save`: sets the webhook of a level up, or changes it.
pub(in crate::pages) async fn save(
    State(app): State<Shared>,
    visitor: Visitor,
    form: Form,
) -> Result<Response, Failure> {
    let place = place(&form)?;
    let mut panel = Panel::load(&app, &visitor, place).await?;
    let mut typed = Typed::of(&form);
    let wish = read(&app, &form, &mut typed)?;
    panel.typed = typed;
    let Some(wish) = wish else { return again(&app, &visitor, panel).await };
    let saved = match &panel.webhook {
        Some(webhook) => change(&app, webhook, wish, form.has("remove_secret")).await.map(|()| "webhook-saved"),
        None => create(&app, &visitor, place, wish).await.map(|()| "webhook-created"),
    };
    match saved {
        Ok(done) => Ok(Redirect::to(&place.path(done)).into_response()),
        Err(error) => {
            panel.typed.note(error)?;
            again(&app, &visitor, panel).await
        }
    }
}

fn place(form: &Form) -> Result<Place, Failure> {
    match form.text("agent_id") {
        "" => Ok(Place::Organization),
        id => id.parse::<AgentId>().map(Place::Agent).map_err(|_| Failure::not_found("agent")),
    }
}

fn read(app: &App, form: &Form, typed: &mut Typed) -> Result<Option<Wish>, ApiError> {
    let mut fields = form.fields(&["url", "secret", "description"]);
    let url = webhooks::url(app, &mut fields).and_then(|url| fields.require("url", url));
    let url = typed.check(url)?;
    let secret = typed.check(webhooks::secret(&mut fields))?;
    let description = typed.check(fields.text("description", Length::DESCRIPTION))?;
    Ok(url.zip(secret).zip(description).map(|((url, secret), description)| Wish { url, secret, description }))
}

async fn change(app: &App, webhook: &Webhook, wish: Wish, without_secret: bool) -> Result<(), ApiError> {
    let changes = WebhookChanges {
        expected: Expected::default(),
        url: Some(wish.url),
        secret: wish.secret.map(Some).or(without_secret.then_some(None)),
        description: Some(wish.description),
        is_enabled: None,
    };
    app.store.update_webhook(webhook.organization_id, webhook.id, changes, app.clock.now()).await?;
    Ok(())
}

async fn create(app: &App, visitor: &Visitor, place: Place, wish: Wish) -> Result<(), ApiError> {
    let now = app.clock.now();
    let webhook = Webhook {
        id: WebhookId::generate(now, &*app.chance),
        organization_id: visitor.organization.id,
        agent_id: place.agent(),
        url: wish.url,
        has_secret: wish.secret.is_some(),
        rotated_until: None,
        description: wish.description,
        is_enabled: true,
        last_triggered_at: None,
        consecutive_failures: 0,
        version: Version::FIRST,
        created_at: now,
        updated_at: now,
    };
    app.store.create_webhook(NewWebhook { webhook, secret: wish.secret }).await?;
    Ok(())
}

async fn again(app: &App, visitor: &Visitor, panel: Panel) -> Result<Response, Failure> {
    debug_assert!(panel.typed.is_wrong());
    Ok((StatusCode::UNPROCESSABLE_ENTITY, panel.place.show(app, visitor, panel).await?).into_response())
}
