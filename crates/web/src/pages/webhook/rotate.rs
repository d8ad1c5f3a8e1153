use axum::{extract::State, response::Response};
use jiff::SignedDuration;
use preclinical_core::{
    id::RotationId,
    reveal::SecretReveal,
    secret::SigningSecret,
    webhook::{DEFAULT_OVERLAP, MAX_OVERLAP, SecretRotation},
};

use super::{Panel, Place, Shared, named};
use crate::{
    error::ApiError,
    input::Id,
    pages::{
        door::{Form, Visitor},
        failure::Failure,
    },
};

/// For how long the secret until now may still sign: values of the form, and what they are called.
pub(super) const OVERLAPS: [(&str, &str); 4] =
    [("0", "Not at all"), ("3600", "1 hour"), ("86400", "24 hours"), ("604800", "7 days")];

/// `POST /webhooks/{id}/rotate`: puts a generated secret in force, shows it this one time, and keeps who was shown it.
pub(in crate::pages) async fn rotate(
    State(app): State<Shared>,
    visitor: Visitor,
    id: Id,
    form: Form,
) -> Result<Response, Failure> {
    let webhook = named(&app, &visitor, id).await?;
    let overlap = form.text("overlap").parse().map_or(DEFAULT_OVERLAP, SignedDuration::from_secs);
    let overlap = overlap.clamp(SignedDuration::ZERO, MAX_OVERLAP);
    let (secret, now) = (SigningSecret::generate(&*app.chance), app.clock.now());
    let shown = secret.expose().to_owned();
    // A form that is sent twice is one rotation: the secret before it stays in its overlap.
    let id = form.text("rotation").parse().unwrap_or_else(|_| RotationId::generate(now, &*app.chance));
    let rotation = SecretRotation { id, secret, overlap };
    let rotated = app.store.rotate_secret(visitor.organization.id, webhook.id, rotation, now).await;
    let place = Place::of(&rotated.map_err(ApiError::from)?);
    let reveal = SecretReveal { by: visitor.member.email.clone(), at: now };
    app.store.reveal_secret(visitor.organization.id, webhook.id, reveal).await.map_err(ApiError::from)?;
    let mut panel = Panel::load(&app, &visitor, place).await?;
    panel.shown_secret = Some(shown);
    place.show(&app, &visitor, panel).await
}
