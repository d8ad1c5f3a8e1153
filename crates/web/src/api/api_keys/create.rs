use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use jiff::Timestamp;
use preclinical_core::{
    api_key::{ApiKey, ApiKeyText},
    id::ApiKeyId,
    port::CreateKeyError,
    scope::Scope,
};
use serde::Serialize;

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    idempotency::Subject,
    input::{Body, Fields, Length, SMALL},
    wire::ApiKeyView,
};

#[derive(Serialize)]
struct Created<'a> {
    #[serde(flatten)]
    view: ApiKeyView<'a>,
    key: &'a str,
}

/// Creates a key of the caller's organization; its text is in this answer and never shown again. A name is free again when the
/// key that had it is revoked, not when it expires.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    subject: Subject,
    Body(mut body): Body<SMALL>,
) -> Result<impl IntoResponse, ApiError> {
    let now = app.clock.now();
    let name = body.text("name", Length::Line(200))?;
    let scope = body.choice("scope", "one of read, report, write", Scope::parse)?.unwrap_or(Scope::Write);
    let expires_at = expires_at(&mut body, now)?;
    let name = body.require("name", name)?;
    body.finish()?;
    let text = ApiKeyText::generate(&*app.chance);
    let id = ApiKeyId::from_uuid(subject.uuid(now, &*app.chance));
    let key = ApiKey { scope, expires_at, ..ApiKey::new(&text, id, caller.organization, name, now) };
    app.store.create_key(key.clone()).await?;
    let created = Created { view: ApiKeyView::from(&key), key: text.expose() };
    Ok((StatusCode::CREATED, Json(created)).into_response())
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
