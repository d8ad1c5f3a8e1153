//! A page that could not be shown: the error of the API in its other skin.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::html;

use super::{
    door::{Theme, Visitor},
    parts::{self, Icon},
    shell::{self, Section},
};
use crate::error::ApiError;

/// Why there is no page.
pub(in crate::pages) struct Failure(ApiError);

/// What a page in its place has to say.
#[derive(Clone)]
struct Failed(String);

impl Failure {
    /// The visitor may not.
    pub(in crate::pages) fn forbidden(why: &str) -> Self {
        Self(ApiError::not_permitted(why))
    }

    /// There is no such thing.
    pub(in crate::pages) fn not_found(what: &str) -> Self {
        Self(ApiError::not_found(what))
    }
}

impl<E: Into<ApiError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.shown_alone(Theme::default())
    }
}

impl Failure {
    /// As a page without a sidebar.
    pub(in crate::pages) fn shown_alone(self, theme: Theme) -> Response {
        let message = sentence(self.0.message());
        let (parts, _) = self.0.into_response().into_parts();
        let mut response =
            (parts.status, shell::alone(theme, title(parts.status), &content(parts.status, &message))).into_response();
        response.extensions_mut().extend(parts.extensions);
        response.extensions_mut().insert(Failed(message));
        response
    }
}

/// The answer to a visitor, whose failures are shown among the pages and not in their place.
pub(in crate::pages) fn within_shell(answer: Result<Response, Failure>, visitor: &Visitor) -> Response {
    let response = answer.into_response();
    let Some(Failed(message)) = response.extensions().get().cloned() else { return response };
    let status = response.status();
    let content = content(status, &message);
    let mut page = (status, shell::page(visitor, Section::None, title(status), &content)).into_response();
    page.extensions_mut().extend(response.extensions().clone());
    page
}

fn content(status: StatusCode, message: &str) -> maud::Markup {
    let icon = if status == StatusCode::NOT_FOUND { Icon::Search } else { Icon::Alert };
    let why = html! { (message) };
    let action = html! { a.button href="/" { "Go to the runs" } };
    html! { section.card { (parts::nothing_else(icon, title(status), &why, &action)) } }
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "There is nothing here",
        StatusCode::FORBIDDEN => "You may not do this",
        StatusCode::TOO_MANY_REQUESTS => "Too much at once",
        StatusCode::SERVICE_UNAVAILABLE => "Not now",
        status if status.is_client_error() => "This could not be done",
        _ => "Something went wrong",
    }
}

/// A text as a sentence of its own.
pub(in crate::pages) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return String::new() };
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{end}", first.to_uppercase(), characters.as_str())
}
