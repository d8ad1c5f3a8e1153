//! The paths of the API.

mod agents;
mod api_keys;
mod deliveries;
mod live;
mod redeliveries;
mod runs;
mod server;
mod test_suites;
mod webhooks;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header},
    middleware::{self, Next},
    response::Response,
};
use preclinical_core::scope::Need::{FollowRuns, Read, Report, Write};
use tower_http::compression::{
    CompressionLayer,
    predicate::{Predicate, SizeAbove},
};

use crate::{
    app::App,
    auth::Gate,
    error::ApiError,
    request_line,
    route::{Call, Route, delete, get, open, patch, post, put},
};

/// A handler, and the description that stands beside it: no route goes without.
macro_rules! endpoint {
    ($group:ident::$name:ident) => {
        ($group::$name, $group::$name::describe)
    };
}

/// Every call there is, and whom it serves. A path's methods stand together, in the order in which `Allow` names them.
fn routes() -> Vec<Route> {
    vec![
        open("/health", endpoint!(server::health)),
        open("/api/openapi.json", endpoint!(server::openapi)),
        open("/api/docs", endpoint!(server::docs)),
        get("/agents", FollowRuns, endpoint!(agents::list)),
        post("/agents", Write, endpoint!(agents::create)),
        get("/agents/{id}", FollowRuns, endpoint!(agents::get)),
        put("/agents/{id}", Write, endpoint!(agents::update)),
        patch("/agents/{id}", Write, endpoint!(agents::update)).also("_by_patch"),
        delete("/agents/{id}", Write, endpoint!(agents::delete)),
        post("/agents/{id}/validate", Write, endpoint!(agents::validate)),
        get("/agents/{id}/effective-webhook", Read, endpoint!(agents::effective_webhook)),
        get("/api-keys", Write, endpoint!(api_keys::list)),
        post("/api-keys", Write, endpoint!(api_keys::create)),
        delete("/api-keys/{id}", Write, endpoint!(api_keys::revoke)),
        get("/test-suites", Read, endpoint!(test_suites::list)),
        post("/test-suites", Write, endpoint!(test_suites::create)),
        get("/webhooks", Read, endpoint!(webhooks::list)),
        post("/webhooks", Write, endpoint!(webhooks::create)),
        get("/webhooks/{id}", Read, endpoint!(webhooks::get)),
        put("/webhooks/{id}", Write, endpoint!(webhooks::update)),
        delete("/webhooks/{id}", Write, endpoint!(webhooks::delete)),
        post("/webhooks/{id}/test", Write, endpoint!(webhooks::test)),
        post("/webhooks/{id}/rotate-secret", Write, endpoint!(webhooks::rotate_secret)),
        get("/webhooks/{id}/deliveries", Read, endpoint!(deliveries::list_of_webhook)),
        get("/webhooks/deliveries", Read, endpoint!(deliveries::list)),
        get("/webhooks/deliveries/{id}", Read, endpoint!(deliveries::get)),
        post("/webhooks/deliveries/{id}/redeliver", Write, endpoint!(deliveries::redeliver)),
        get("/webhooks/redeliveries", Read, endpoint!(redeliveries::list)),
        post("/webhooks/redeliveries", Write, endpoint!(redeliveries::create)),
        get("/webhooks/redeliveries/{id}", Read, endpoint!(redeliveries::get)),
        post("/webhooks/redeliveries/{id}/cancel", Write, endpoint!(redeliveries::cancel)),
        get("/runs", FollowRuns, endpoint!(runs::list)),
        post("/runs", Report, endpoint!(runs::create)),
        get("/runs/{id}", FollowRuns, endpoint!(runs::get)),
        get("/runs/{id}/decisions", Read, endpoint!(runs::decisions)),
        get("/runs/{id}/results", FollowRuns, endpoint!(runs::results)),
        post("/runs/{id}/results", Report, endpoint!(runs::report)).with_results(),
        post("/runs/{id}/complete", Report, endpoint!(runs::complete)),
        post("/runs/{id}/cancel", Report, endpoint!(runs::cancel)),
        // Streams: nothing around them may gather their bodies, compress them, or limit how long they last.
        get("/events", FollowRuns, endpoint!(live::events)),
        get("/stream", Read, endpoint!(live::stream)),
        get("/events", FollowRuns, endpoint!(live::events)).at_root(),
    ]
}

/// Every call that [`router`] answers.
pub fn calls() -> Vec<Call> {
    routes().into_iter().map(|route| route.call).collect()
}

/// The API as a service.
pub fn router(app: Arc<App>) -> Router {
    let gate = Gate::of(Arc::clone(&app));
    routes()
        .into_iter()
        .fold(Router::new(), |router, route| route.add_to(router, &gate))
        .fallback(async || ApiError::not_found("path"))
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .layer(middleware::from_fn_with_state(app.limits.call, within))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(1024).and(is_worth_compressing)))
        .layer(middleware::from_fn(with_protective_headers))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), request_line::write))
        .with_state(app)
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

/// Answers are data of one organization: no cache may keep them, and no browser may take them for anything else.
async fn with_protective_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
