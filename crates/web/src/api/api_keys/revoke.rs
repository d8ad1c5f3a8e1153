use std::sync::Arc;

use axum::{extract::State, http::StatusCode};

use crate::{app::App, auth::Caller, error::ApiError, input::Id};

/// Revokes a key, also the caller's own; the next call with it is refused. It stays in the list, so a repetition succeeds, too.
pub(crate) async fn revoke(State(app): State<Arc<App>>, caller: Caller, id: Id) -> Result<StatusCode, ApiError> {
    let missing = || ApiError::not_found("API key");
    let existed = app.store.revoke_key(caller.organization, id.parse(missing)?, app.clock.now()).await?;
    if existed { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}
