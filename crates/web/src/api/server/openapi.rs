use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

use crate::openapi::{self, Description, Topic};

/// It is the same for as long as the program runs.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| openapi::document(super::super::routes()).to_string());

/// The description of the API for machines.
pub(crate) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Server, "get_openapi", "This document").answers_document()
}
