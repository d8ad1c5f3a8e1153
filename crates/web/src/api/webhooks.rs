//! `/webhooks`

pub(super) mod create;
pub(super) mod delete;
pub(super) mod get;
mod headers;
pub(super) mod list;
pub(crate) mod replay;
mod replay_on_recovery;
pub(super) mod rotate_secret;
pub(crate) mod test;
pub(super) mod update;

use preclinical_core::{
    endpoint::MAX_URL_BYTES,
    secret::{MAX_SECRET_BYTES, SigningSecret},
};

pub(super) use create::create;
pub(super) use delete::delete;
pub(super) use get::get;
pub(crate) use headers::{headers, wanted};
pub(super) use list::list;
pub(super) use replay::replay;
pub(crate) use replay_on_recovery::replay_on_recovery;
pub(super) use rotate_secret::rotate_secret;
pub(super) use test::test;
pub(super) use update::update;

use crate::{app::App, error::ApiError, input::Fields, openapi::Field};

/// The URL of a body, if it may be called at all.
pub(crate) fn url(app: &App, body: &mut Fields) -> Result<Option<String>, ApiError> {
    let Some(text) = body.report_text("url", MAX_URL_BYTES)? else { return Ok(None) };
    let url = app.endpoints.parse(&text).map_err(|error| ApiError::invalid("url", error))?;
    Ok(Some(url.into()))
}

/// The secret of a body. It never appears in the error.
pub(crate) fn secret(body: &mut Fields) -> Result<Option<SigningSecret>, ApiError> {
    let Some(text) = body.report_text("secret", MAX_SECRET_BYTES)? else { return Ok(None) };
    SigningSecret::parse(&text).map(Some).map_err(|error| ApiError::invalid("secret", error))
}

fn missing() -> ApiError {
    ApiError::not_found("webhook")
}

fn url_field() -> Field {
    Field::report_text(MAX_URL_BYTES)
        .matching("uri", "^[Hh][Tt][Tt][Pp][Ss]?://")
        .such_as("https://hooks.example.com/preclinical")
        .further(
            "must be an address of at most 2,048 bytes that this installation may call: a public one unless it is set up otherwise, \
             without credentials or a fragment, on a port of HTTP",
        )
        .says("Where to send.")
}

fn secret_field() -> Field {
    Field::report_text(MAX_SECRET_BYTES)
        .matching("password", r"^[^\u0000-\u001f\u007f-\u009f]+$")
        .further("must be at most 512 bytes long; after `whsec_` there must be standard base64 of at least 16 bytes")
        .says("What requests are signed with. It is never shown. `whsec_` and base64 is the form that Standard Webhooks libraries take.")
}
