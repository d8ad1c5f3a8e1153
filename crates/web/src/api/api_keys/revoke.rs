use std::sync::Arc;

use axum::{extract::State, http::StatusCode};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Id,
    openapi::{Description, Resource, Topic},
};

/// Revokes a key, also the caller's own; the next call with it is refused. It stays in the list, so a repetition succeeds, too.
pub(crate) async fn revoke(State(app): State<Arc<App>>, caller: Caller, id: Id) -> Result<StatusCode, ApiError> {
    let missing = || ApiError::not_found("API key");
    let existed = app.store.revoke_key(caller.organization, id.parse(missing)?, app.clock.now()).await?;
    if existed { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::ApiKeys, "revoke_api_key", "Revoke an API key")
        .text("The next call with it is refused; it stays in the list. The caller's own key can be revoked, too.")
        .of(Resource::ApiKey)
        .no_content("It is not in force any more.")
}
