//! The paths of the API.

mod agents;
mod deliveries;
mod health;
mod runs;
mod test_suites;
mod webhooks;

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};

use crate::{app::App, error::ApiError};

/// The API as a service.
pub fn router(app: Arc<App>) -> Router {
    let v1 = Router::new()
        .route("/agents", get(agents::list).post(agents::create))
        .route("/agents/{id}", get(agents::get).put(agents::update).patch(agents::update).delete(agents::delete))
        .route("/agents/{id}/validate", post(agents::validate))
        .route("/test-suites", get(test_suites::list).post(test_suites::create))
        .route("/webhooks", get(webhooks::list).post(webhooks::create))
        .route("/webhooks/{id}", get(webhooks::get).put(webhooks::update).delete(webhooks::delete))
        .route("/webhooks/{id}/test", post(webhooks::test))
        .route("/webhooks/{id}/rotate-secret", post(webhooks::rotate_secret))
        .route("/webhooks/{id}/deliveries", get(deliveries::list_of_webhook))
        .route("/webhooks/deliveries", get(deliveries::list))
        .route("/webhooks/deliveries/{id}", get(deliveries::get))
        .route("/webhooks/deliveries/{id}/redeliver", post(deliveries::redeliver))
        .route("/runs", get(runs::list).post(runs::create))
        .route("/runs/{id}", get(runs::get))
        .route("/runs/{id}/results", get(runs::results).post(runs::report))
        .route("/runs/{id}/complete", post(runs::complete))
        .route("/runs/{id}/cancel", post(runs::cancel));
    Router::new()
        .route("/health", get(health::get))
        .nest("/api/v1", v1)
        .fallback(async || ApiError::not_found("path"))
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .layer(middleware::from_fn(with_protective_headers))
        .with_state(app)
}

/// Answers are data of one organization: no cache may keep them, and no browser may take them for anything else.
async fn with_protective_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
