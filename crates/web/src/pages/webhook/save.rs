use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use preclinical_core::{
    custom_header::{CustomHeaders, WantedHeader},
    health::Health,
    id::{AgentId, WebhookId},
    port::NewWebhook,
    replay_on_recovery::ReplayOnRecovery,
    secret::SigningSecret,
    version::{Expected, Version},
    webhook::{Webhook, WebhookChanges},
};

use super::{Panel, Place, Shared, form::Typed, headers};
use crate::{
    api::webhooks,
    app::App,
    error::ApiError,
    input::Length,
    pages::{
        door::{Form, Visitor},
        failure::Failure,
        wrong::Wrong,
    },
};

/// `POST /webhooks/save`: sets the webhook of a level up, or changes it.
pub(in crate::pages) async fn save(State(app): State<Shared>, visitor: Visitor, form: Form) -> Result<Response, Failure> {
    let place = place(&form)?;
    let mut panel = Panel::load(&app, &visitor, place).await?;
    let saved = match &panel.webhook {
        Some(webhook) => change(&app, webhook, &form).await.map(|()| "webhook-saved"),
        None => create(&app, &visitor, place, &form).await.map(|()| "webhook-created"),
    };
    let error = match saved {
        Ok(done) => return Ok(Redirect::to(&place.behind(done)).into_response()),
        Err(error) => error,
    };
    (panel.typed, panel.wrong) = (Typed::from(&form), Wrong::of(error)?);
    place.show(&app, &visitor, panel).await
}

fn place(form: &Form) -> Result<Place, Failure> {
    match form.text("agent_id") {
        "" => Ok(Place::Organization),
        id => id.parse::<AgentId>().map(Place::Agent).map_err(|_| Failure::not_found("agent")),
    }
}

/// What a form asks for.
struct Wish {
    url: String,
    secret: Option<SigningSecret>,
    headers: Option<Vec<WantedHeader>>,
    description: Option<String>,
    replay_on_recovery: Option<ReplayOnRecovery>,
}

fn read(app: &App, form: &Form) -> Result<Wish, ApiError> {
    let mut fields = form.fields(&["url", "secret", "description", "replay_on_recovery"]);
    let url = webhooks::url(app, &mut fields)?;
    let url = fields.require("url", url)?;
    let secret = webhooks::secret(&mut fields)?;
    let headers = headers::wanted(form)?;
    let description = fields.text("description", Length::DESCRIPTION)?;
    Ok(Wish { url, secret, headers, description, replay_on_recovery: webhooks::replay_on_recovery(&mut fields)? })
}

async fn change(app: &App, webhook: &Webhook, form: &Form) -> Result<(), ApiError> {
    // A form that was made when there was no webhook has no version, and is as old as one of another version.
    let version = form.text("version").parse().ok().map(Version);
    let (wish, without_secret) = (read(app, form)?, form.has("remove_secret"));
    let changes = WebhookChanges {
        expected: Expected::OneOf(version.into_iter().collect()),
        url: Some(wish.url),
        secret: wish.secret.map(Some).or(without_secret.then_some(None)),
        headers: wish.headers,
        description: Some(wish.description),
        is_enabled: None,
        replay_on_recovery: wish.replay_on_recovery,
    };
    app.store.update_webhook(webhook.organization_id, webhook.id, changes, app.clock.now()).await?;
    Ok(())
}

async fn create(app: &App, visitor: &Visitor, place: Place, form: &Form) -> Result<(), ApiError> {
    let (wish, now) = (read(app, form)?, app.clock.now());
    let headers = CustomHeaders::default().changed(wish.headers.unwrap_or_default())?;
    let webhook = Webhook {
        id: WebhookId::generate(now, &*app.chance),
        organization_id: visitor.organization.id,
        agent_id: place.agent(),
        url: wish.url,
        has_secret: wish.secret.is_some(),
        rotated_until: None,
        header_names: headers.names(),
        description: wish.description,
        is_enabled: true,
        disabled_reason: None,
        replay_on_recovery: wish.replay_on_recovery.unwrap_or_default(),
        health: Health::default(),
        version: Version::FIRST,
        created_at: now,
        updated_at: now,
    };
    app.store.create_webhook(NewWebhook { webhook, secret: wish.secret, headers }).await?;
    Ok(())
}
