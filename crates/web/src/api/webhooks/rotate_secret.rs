use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    id::{RotationId, WebhookId},
    secret::SigningSecret,
    webhook::{DEFAULT_OVERLAP, MAX_OVERLAP, SecretRotation},
    wire_time,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    idempotency::Subject,
    input::{Body, Fields, Id, SMALL},
    openapi::{DateTime, Description, Field, Object, Resource, Topic, Uuid},
};

/// What became of a webhook's secret.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RotatedSecret")]
struct Rotated {
    #[schemars(with = "Uuid")]
    id: WebhookId,
    /// Until when requests are signed with the secret before this one, too.
    #[serde(serialize_with = "wire_time::serialize_option")]
    #[schemars(with = "Option<DateTime>")]
    previous_secret_valid_until: Option<Timestamp>,
    /// The new secret, if it was generated. It is never shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    secret: Option<String>,
}

/// Puts a new secret in force, one of the caller's or a generated one, which is shown this one time.
pub(crate) async fn rotate_secret(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    subject: Subject,
    Body(mut body): Body<SMALL>,
) -> Result<Response, ApiError> {
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
    let rotated = Rotated { id: webhook.id, previous_secret_valid_until: webhook.rotated_until, secret: shown };
    Ok(Json(rotated).into_response())
}

pub(crate) fn describe() -> Description {
    let overlap = Field::number(0..=MAX_OVERLAP.as_secs().unsigned_abs()).unless_told(DEFAULT_OVERLAP.as_secs());
    Description::new(Topic::Webhooks, "rotate_secret", "Change a webhook's secret without a gap")
        .text("While both secrets are valid, requests carry a signature of each.")
        .of(Resource::Webhook)
        .body(
            Object::new()
                .optional("secret", super::secret_field().says("The new secret; one is generated if it is missing."))
                .optional("overlap_seconds", overlap.says("For how long the secret until now stays valid beside it.")),
        )
        .ok::<Rotated>("The webhook's id, and the new secret if it was generated.")
}

fn overlap(body: &mut Fields) -> Result<SignedDuration, ApiError> {
    let most = MAX_OVERLAP.as_secs().unsigned_abs();
    let seconds = body.number("overlap_seconds", 0..=most)?;
    let seconds = seconds.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
    Ok(seconds.map_or(DEFAULT_OVERLAP, SignedDuration::from_secs))
}
