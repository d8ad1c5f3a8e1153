//! The paths of the API.

mod agents;
mod api_keys;
mod deliveries;
mod health;
mod live;
mod redeliveries;
mod runs;
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
use tower_http::{
    compression::{
        CompressionLayer,
        predicate::{Predicate, SizeAbove},
    },
    timeout::RequestBodyDeadlineLayer,
};

use crate::{
    app::App,
    auth::Gate,
    error::ApiError,
    request_line,
    route::{Call, Route, delete, get, open, patch, post, put},
};

/// Every call there is, and whom it serves. A path's methods stand together, in the order in which `Allow` names them.
fn routes() -> Vec<Route> {
    vec![
        open("/health", health::get),
        get("/agents", FollowRuns, agents::list),
        post("/agents", Write, agents::create),
        get("/agents/{id}", FollowRuns, agents::get),
        put("/agents/{id}", Write, agents::update),
        patch("/agents/{id}", Write, agents::update),
        delete("/agents/{id}", Write, agents::delete),
        post("/agents/{id}/validate", Write, agents::validate),
        get("/agents/{id}/effective-webhook", Read, agents::effective_webhook),
        get("/api-keys", Write, api_keys::list),
        post("/api-keys", Write, api_keys::create),
        delete("/api-keys/{id}", Write, api_keys::revoke),
        get("/test-suites", Read, test_suites::list),
        post("/test-suites", Write, test_suites::create),
        get("/webhooks", Read, webhooks::list),
        post("/webhooks", Write, webhooks::create),
        get("/webhooks/{id}", Read, webhooks::get),
        put("/webhooks/{id}", Write, webhooks::update),
        delete("/webhooks/{id}", Write, webhooks::delete),
        post("/webhooks/{id}/test", Write, webhooks::test),
        post("/webhooks/{id}/rotate-secret", Write, webhooks::rotate_secret),
        get("/webhooks/{id}/deliveries", Read, deliveries::list_of_webhook),
        get("/webhooks/deliveries", Read, deliveries::list),
        get("/webhooks/deliveries/{id}", Read, deliveries::get),
        post("/webhooks/deliveries/{id}/redeliver", Write, deliveries::redeliver),
        get("/webhooks/redeliveries", Read, redeliveries::list),
        post("/webhooks/redeliveries", Write, redeliveries::create),
        get("/webhooks/redeliveries/{id}", Read, redeliveries::get),
        post("/webhooks/redeliveries/{id}/cancel", Write, redeliveries::cancel),
        get("/runs", FollowRuns, runs::list),
        post("/runs", Report, runs::create),
        get("/runs/{id}", FollowRuns, runs::get),
        get("/runs/{id}/decisions", Read, runs::decisions),
        get("/runs/{id}/results", FollowRuns, runs::results),
        post("/runs/{id}/results", Report, runs::report).with_results(),
        post("/runs/{id}/complete", Report, runs::complete),
        post("/runs/{id}/cancel", Report, runs::cancel),
        // Streams: nothing around them may gather their bodies, compress them, or limit how long they last.
        get("/events", FollowRuns, live::events),
        get("/stream", Read, live::stream),
        get("/events", FollowRuns, live::events).at_root(),
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
        .layer(RequestBodyDeadlineLayer::new(app.limits.body))
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
