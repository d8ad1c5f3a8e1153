use std::sync::Arc;

use axum::{Json, extract::State};
use jiff::SignedDuration;
use preclinical_core::{
    id::RotationId,
    secret::SigningSecret,
    webhook::{DEFAULT_OVERLAP, MAX_OVERLAP, SecretRotation},
    wire_time,
};
use serde_json::{Value, json};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    idempotency::Subject,
    input::{Body, Fields, Id, SMALL},
};

/// Puts a new secret in force, one of the caller's or a generated one, which is shown this one time.
pub(crate) async fn rotate_secret(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    subject: Subject,
    Body(mut body): Body<SMALL>,
) -> Result<Json<Value>, ApiError> {
    let id = id.parse(super::missing)?;
    let chosen = super::secret(&mut body)?;
    let overlap = overlap(&mut body)?;
    body.finish()?;
    let generated = chosen.is_none();
    let secret = chosen.unwrap_or_else(|| SigningSecret::generate(&*app.chance));
    let shown = generated.then(|| secret.expose().to_owned());
    let now = app.clock.now();
    let rotation = SecretRotation { id: RotationId::from_uuid(subject.uuid(now, &*app.chance)), secret, overlap };
    let webhook = app.store.rotate_secret(caller.organization, id, rotation, now).await?;
    let until = webhook.rotated_until.map(wire_time::format);
    let mut answer = json!({"id": webhook.id, "previous_secret_valid_until": until});
    if let Some(secret) = shown {
        answer["secret"] = secret.into();
    }
    Ok(Json(answer))
}

fn overlap(body: &mut Fields) -> Result<SignedDuration, ApiError> {
    let most = MAX_OVERLAP.as_secs().unsigned_abs();
    let seconds = body.number("overlap_seconds", 0..=most)?;
    let seconds = seconds.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
    Ok(seconds.map_or(DEFAULT_OVERLAP, SignedDuration::from_secs))
}
