//! Ending a run that nobody waits for any more.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use preclinical_core::run::RunRef;

use super::show::path_of;
use crate::{
    api,
    app::App,
    error::{ApiError, code},
    idempotency::Subject,
    input::Id,
    pages::{door::Visitor, failure::Failure},
};

/// `POST /test/{id}/cancel`. Of a run that ended meanwhile, its page says so.
pub(in crate::pages) async fn cancel(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    id: Id,
    subject: Subject,
) -> Result<Response, Failure> {
    let run: RunRef = id.parse(ApiError::run_not_found)?;
    let done = match api::cancel_run(&app, visitor.organization.id, run, subject).await {
        Ok(_) => "canceled",
        Err(error) if error.is(code::INVALID_STATE) => "ended-before",
        Err(error) => return Err(error.into()),
    };
    Ok(Redirect::to(&format!("{}?done={done}", path_of(run))).into_response())
}
