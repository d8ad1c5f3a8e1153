use std::sync::LazyLock;

use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use crate::openapi::{self, Description, Page, Topic};

static PAGE: LazyLock<Page> = LazyLock::new(|| Page::of(&openapi::document(super::super::routes())));

/// The description of the API for people: one page that asks nobody else for anything, and runs no script.
pub(crate) async fn docs() -> Response {
    let policy = [(header::CONTENT_SECURITY_POLICY, PAGE.policy.as_str())];
    (StatusCode::OK, policy, Html(PAGE.html.as_str())).into_response()
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Server, "get_docs", "This description as a page").answers_text("text/html", "The page.")
}
