use axum::{extract::State, response::Response};
use preclinical_core::{port::RevealSecretError, reveal::SecretReveal};

use super::{Panel, Place, Shared, named};
use crate::{
    error::ApiError,
    input::Id,
    pages::{door::Visitor, failure::Failure},
};

/// `POST /webhooks/{id}/reveal`: shows the secret, and keeps who was shown it.
pub(in crate::pages) async fn reveal(State(app): State<Shared>, visitor: Visitor, id: Id) -> Result<Response, Failure> {
    let webhook = named(&app, &visitor, id).await?;
    let reveal = SecretReveal { by: visitor.member.email.clone(), at: app.clock.now() };
    let secret = app.store.reveal_secret(visitor.organization.id, webhook.id, reveal).await.map_err(ApiError::from)?;
    let place = Place::of(&webhook);
    let mut panel = Panel::load(&app, &visitor, place).await?;
    panel.shown_secret = secret.map(|secret| secret.expose().to_owned());
    place.show(&app, &visitor, panel).await
}

impl From<RevealSecretError> for ApiError {
    fn from(error: RevealSecretError) -> Self {
        match error {
            RevealSecretError::NotFound => Self::not_found("webhook"),
            RevealSecretError::Store(error) => error.into(),
        }
    }
}
