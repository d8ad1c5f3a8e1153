use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::App,
    error::{ApiError, code},
    openapi::{Description, Topic},
};

/// How the server is.
#[derive(Serialize, JsonSchema)]
struct Health {
    /// Always `ok`; a server that is not well answers 503.
    status: &'static str,
}

/// Whether this server can do its work: read what is kept, and keep what comes.
pub(crate) async fn health(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    app.store.ping(app.clock.now()).await?;
    Ok(Json(Health { status: "ok" }).into_response())
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Server, "get_health", "Whether this server can do its work")
        .text("503 while the database cannot be read, or what was last to be written could not be kept.")
        .ok::<Health>("It can.")
        .refuses(code::UNAVAILABLE)
}
