use axum::{extract::State, response::Redirect};
use preclinical_core::webhook::WebhookChanges;

use super::{Place, Shared, named};
use crate::{
    app::App,
    error::ApiError,
    input::Id,
    pages::{door::Visitor, failure::Failure},
};

/// `POST /webhooks/{id}/enable`
pub(in crate::pages) async fn enable(State(app): State<Shared>, visitor: Visitor, id: Id) -> Result<Redirect, Failure> {
    switch(&app, &visitor, id, true).await
}

/// `POST /webhooks/{id}/disable`
pub(in crate::pages) async fn disable(State(app): State<Shared>, visitor: Visitor, id: Id) -> Result<Redirect, Failure> {
    switch(&app, &visitor, id, false).await
}

async fn switch(app: &App, visitor: &Visitor, id: Id, on: bool) -> Result<Redirect, Failure> {
    let webhook = named(app, visitor, id).await?;
    let changes = WebhookChanges { is_enabled: Some(on), ..WebhookChanges::default() };
    let outcome = app.store.update_webhook(visitor.organization.id, webhook.id, changes, app.clock.now()).await;
    let webhook = outcome.map_err(ApiError::from)?;
    let done = if on { "webhook-enabled" } else { "webhook-disabled" };
    Ok(Redirect::to(&Place::of(&webhook).behind(done)))
}
