//! Everything that is served: the API, the pages, and what is around both.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower::ServiceBuilder;
use tower_http::compression::{
    CompressionLayer,
    predicate::{Predicate, SizeAbove},
};

use crate::{
    api,
    app::App,
    error::ApiError,
    pages::{self, KEPT_FOR_EVER},
    request_line,
};

/// What an answer that is no page may load and do.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// The API and the pages as a service.
pub fn router(app: Arc<App>) -> Router {
    api::router(&app)
        .merge(pages::router(&app))
        .fallback(nowhere)
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        // Layers of the router would each be put into a box, and copied with all that is in it for every request.
        .layer(
            ServiceBuilder::new()
                .layer(middleware::from_fn_with_state(Arc::clone(&app), request_line::write))
                .layer(middleware::from_fn(with_protective_headers))
                .layer(CompressionLayer::new().compress_when(SizeAbove::new(1024).and(is_worth_compressing)))
                .layer(middleware::from_fn_with_state(app.limits.call, within)),
        )
        .with_state(app)
}

/// There is nothing under the path: a page says so to people, JSON to programs.
async fn nowhere(request: Request) -> Response {
    let of_api = request.uri().path().starts_with("/api/");
    let accepted = request.headers().get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok());
    if !of_api && accepted.is_some_and(|kinds| kinds.contains("text/html")) {
        return pages::nowhere(request.headers());
    }
    ApiError::not_found("path").into_response()
}

/// Answers within the limit, one way or another.
async fn within(State(limit): State<Duration>, request: Request, next: Next) -> Result<Response, ApiError> {
    tokio::time::timeout(limit, next.run(request)).await.map_err(|_| ApiError::timeout())
}

/// Not an answer with a tag: under one tag lies one sequence of bytes. Not a stream of events, which must not wait for more.
fn is_worth_compressing(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let is_stream = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    !headers.contains_key(header::ETAG) && !is_stream
}

/// Answers are data of one organization: no cache may keep them but the pages' own files, and no browser may take them for anything else.
async fn with_protective_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NOTHING));
    if headers.get(header::CACHE_CONTROL).is_none_or(|said| said != KEPT_FOR_EVER) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
