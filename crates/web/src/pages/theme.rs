//! The colours that somebody chose.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use url::Url;

use super::door::{self, Form, Theme};
use crate::app::App;

/// `POST /theme`: keeps the choice and goes back to where it was made.
pub(super) async fn choose(State(app): State<Arc<App>>, headers: HeaderMap, input: Form) -> Response {
    let referer = headers.get(header::REFERER).and_then(|referer| referer.to_str().ok());
    let back = referer.and_then(|referer| Url::parse(referer).ok()).map_or("/".to_owned(), |url| {
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{query}", url.path())
    });
    let mut response = Redirect::to(door::local_path(&back)).into_response();
    door::keep_theme(&mut response, Theme::parse(input.text("theme")).unwrap_or_default(), &app.public_url);
    response
}
