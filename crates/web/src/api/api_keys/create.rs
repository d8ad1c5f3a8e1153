use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use jiff::Timestamp;
use preclinical_core::{
    api_key::{ApiKey, ApiKeyText},
    id::ApiKeyId,
    port::CreateKeyError,
    scope::Scope,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, code},
    idempotency::Subject,
    input::{Body, Fields, Length, SMALL},
    openapi::{Description, Field, Object, Topic},
    wire::ApiKeyView,
};

/// A new key, with its text.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NewApiKey")]
struct Created<'a> {
    #[serde(flatten)]
    view: ApiKeyView<'a>,
    /// The text that calls are made with. It is never shown again.
    key: &'a str,
}

/// Creates a key of the caller's organization; its text is in this answer and never shown again. A name is free again when the
/// key that had it is revoked, not when it expires.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    subject: Subject,
    Body(body): Body<SMALL>,
) -> Result<impl IntoResponse, ApiError> {
    let now = app.clock.now();
    let text = ApiKeyText::generate(&*app.chance);
    let id = ApiKeyId::from_uuid(subject.uuid(now, &*app.chance));
    let key = described(body, ApiKey::new(&text, id, caller.organization, String::new(), now))?;
    app.store.create_key(key.clone()).await?;
    let created = Created { view: ApiKeyView::from(&key), key: text.expose() };
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

/// A key as a body describes it.
pub(crate) fn described(mut body: Fields, key: ApiKey) -> Result<ApiKey, ApiError> {
    let name = body.text("name", Length::NAME)?;
    let scope = body.choice("scope", "one of read, report, write", Scope::parse)?.unwrap_or(Scope::Write);
    let expires_at = expires_at(&mut body, key.created_at)?;
    let name = body.require("name", name)?;
    body.finish()?;
    Ok(ApiKey { name, scope, expires_at, ..key })
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::ApiKeys, "create_api_key", "Create an API key")
        .text("Its text is in this answer and never shown again.")
        .body(
            Object::new()
                .required("name", Field::text(Length::NAME).says("Unique among keys that are not revoked."))
                .optional("scope", Field::choice::<Scope>().unless_told(Scope::Write.as_str()))
                .optional("expires_at", Field::time().further("must lie in the future")),
        )
        .created::<Created<'_>>("The key, with its text.")
        .refuses(code::ALREADY_EXISTS)
}

fn expires_at(body: &mut Fields, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    match body.time("expires_at")? {
        Some(end) if end <= now => Err(ApiError::invalid("expires_at", "must lie in the future")),
        end => Ok(end),
    }
}

impl From<CreateKeyError> for ApiError {
    fn from(error: CreateKeyError) -> Self {
        match error {
            CreateKeyError::NameTaken => Self::already_exists("there is a key of that name that is not revoked"),
            CreateKeyError::Store(error) => error.into(),
        }
    }
}
