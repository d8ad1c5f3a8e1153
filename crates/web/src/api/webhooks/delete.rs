use std::sync::Arc;

use axum::{extract::State, http::StatusCode};

use crate::{app::App, auth::Caller, error::ApiError, etag::IfMatch, input::Id};

pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, ApiError> {
    let id = id.parse(super::missing)?;
    let existed = app.store.delete_webhook(caller.organization, id, expected, app.clock.now()).await?;
    if existed { Ok(StatusCode::NO_CONTENT) } else { Err(super::missing()) }
}
