//! How often a key may call, how long a body may arrive, and how long a call may take.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, http::Request};
use bytes::Bytes;
use http_body::Frame;
use preclinical_web::{Limits, RateLimit};
use serde_json::json;

use crate::app::{Answer, TestApp};

/// A body of which no more than the beginning ever arrives.
struct Unfinished(Option<Bytes>);

impl http_body::Body for Unfinished {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.take().map_or(Poll::Pending, |bytes| Poll::Ready(Some(Ok(Frame::data(bytes)))))
    }
}

fn fields(answer: &Answer) -> [Option<&str>; 3] {
    ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(|name| answer.header(name))
}

#[tokio::test]
async fn every_answer_to_a_known_key_says_what_is_left_and_one_too_many_is_refused() {
    let app = TestApp::within(Limits { rate: Some(RateLimit { per_second: 1, burst: 3 }), ..Limits::default() }).await;
    assert_eq!(fields(&app.api.get("/runs").await), [Some("3"), Some("2"), Some("1")]);
    let missing = app.api.get("/runs/TR-00007").await;
    missing.refuses(404, "RUN_NOT_FOUND");
    assert_eq!(fields(&missing), [Some("3"), Some("1"), Some("2")]);
    assert_eq!(fields(&app.api.post("/test-suites", json!({})).await), [Some("3"), Some("0"), Some("3")]);
    let before = app.database.rows();
    let refused = app.api.post("/test-suites", json!({"name": "x"})).await;
    assert!(refused.refuses(429, "RATE_LIMITED").is_null());
    assert_eq!((refused.header("retry-after"), fields(&refused)), (Some("1"), [Some("3"), Some("0"), Some("3")]));
    assert_eq!(app.database.rows(), before);
    app.stranger().await.get("/runs").await.is(200);
    app.pass(1);
    app.api.get("/runs").await.is(200);
    assert_eq!(fields(&app.presenting(None).get("/runs").await), [None; 3]);
}

#[tokio::test]
async fn without_a_limit_nothing_is_counted() {
    let app = TestApp::within(Limits { rate: None, ..Limits::default() }).await;
    assert_eq!(fields(&app.api.get("/runs").await), [None; 3]);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_given_up() {
    let app = TestApp::within(Limits { body: Duration::from_millis(20), ..Limits::default() }).await;
    for key in [None, Some("k")] {
        let body = Unfinished(Some(r#"{"name":"#.into()));
        let request = Request::post("/api/v1/test-suites").header("content-type", "application/json");
        let request = key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
        let answer = app.api.send(request.body(Body::new(body)).unwrap()).await;
        assert!(answer.refuses(408, "REQUEST_TIMEOUT").is_null());
    }
    app.api.call_with("POST", "/test-suites", &[("idempotency-key", "k")], r#"{"name":"x"}"#).await.is(201);
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_answered_all_the_same() {
    let app = TestApp::within(Limits { call: Duration::from_millis(20), ..Limits::default() }).await;
    app.endpoints.hang("https://api.openai.com/v1/models");
    let agent = app.api.agent("Assistant").await;
    let answer = app.api.post(&format!("/agents/{agent}/validate"), json!({})).await;
    assert!(answer.refuses(504, "TIMEOUT").is_null());
}
