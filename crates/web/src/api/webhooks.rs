//! `/webhooks`

mod create;
mod delete;
mod get;
mod list;
mod rotate_secret;
mod test;
mod update;

use preclinical_core::secret::SigningSecret;

pub(super) use create::create;
pub(super) use delete::delete;
pub(super) use get::get;
pub(super) use list::list;
pub(super) use rotate_secret::rotate_secret;
pub(super) use test::test;
pub(super) use update::update;

use crate::{app::App, error::ApiError, input::Fields};

/// The URL of a body, if it may be called at all.
fn url(app: &App, body: &mut Fields) -> Result<Option<String>, ApiError> {
    let Some(text) = body.report_text("url", preclinical_core::endpoint::MAX_URL_BYTES)? else { return Ok(None) };
    let url = app.endpoints.parse(&text).map_err(|error| ApiError::invalid("url", error))?;
    Ok(Some(url.into()))
}

/// The secret of a body. It never appears in the error.
fn secret(body: &mut Fields) -> Result<Option<SigningSecret>, ApiError> {
    let Some(text) = body.report_text("secret", preclinical_core::secret::MAX_SECRET_BYTES)? else { return Ok(None) };
    SigningSecret::parse(&text).map(Some).map_err(|error| ApiError::invalid("secret", error))
}

fn missing() -> ApiError {
    ApiError::not_found("webhook")
}
