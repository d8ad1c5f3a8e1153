//! How often a key may call, how long a body may arrive, and how long a call may take.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, http::Request};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use preclinical_web::{Limits, RateLimit};
use serde_json::json;
use tokio::{sync::oneshot, task::JoinHandle};

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

/// A body that says when it is asked for, and of which nothing ever arrives.
struct Awaited {
    asked: Option<oneshot::Sender<()>>,
    length: Option<u64>,
}

impl http_body::Body for Awaited {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.asked.take().map(|asked| asked.send(()));
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
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

/// Begins a report that has taken its room as soon as its body is asked for, and of which nothing arrives.
async fn begun(app: &TestApp, path: &str, length: Option<u64>) -> JoinHandle<Answer> {
    let (asked, is_asked) = oneshot::channel();
    let body = Body::new(Awaited { asked: Some(asked), length });
    let request = Request::post(format!("/api/v1{path}")).header("content-type", "application/json").body(body).unwrap();
    let api = app.api.clone();
    let call = tokio::spawn(async move { api.send(request).await });
    is_asked.await.unwrap();
    call
}

#[tokio::test]
async fn a_large_body_waits_for_room_for_so_long_and_a_small_one_does_not() {
    let report = |id: &str, length: usize| {
        let result =
            json!({"scenario_id": id, "scenario_name": "One", "status": "passed", "transcript": "x".repeat(length)});
        json!({"results": [result]})
    };
    for announced in [Some(2 << 20), None] {
        let limits = Limits { large_bodies: 2 << 20, wait_for_room: Duration::from_millis(20), ..Limits::default() };
        let app = TestApp::within(limits).await;
        let agent = app.api.agent("Assistant").await;
        let path = format!("/runs/{}/results", app.api.run(&agent, None).await);
        let other = begun(&app, &path, announced).await;
        let refused = app.api.post(&path, report("large", 300 * 1024)).await;
        assert!(refused.refuses(503, "UNAVAILABLE").is_null());
        assert_eq!(refused.header("retry-after"), Some("1"));
        app.api.post(&path, report("small", 200 * 1024)).await.is(200);
        other.abort();
    }
}

#[tokio::test]
async fn room_is_given_back_after_every_call_however_it_ends() {
    let app = TestApp::within(Limits { large_bodies: 1 << 20, ..Limits::default() }).await;
    let agent = app.api.agent("Assistant").await;
    let path = format!("/runs/{}/results", app.api.run(&agent, None).await);
    let result =
        json!({"scenario_id": "1", "scenario_name": "One", "status": "passed", "transcript": "x".repeat(900 << 10)});
    for _ in 0..3 {
        app.api.post(&path, json!({"results": [&result]})).await.is(200);
        app.api.post(&path, json!({"results": [&result], "x": 1})).await.refuses_field("INVALID_FIELD_VALUE", "x");
        app.api.call("POST", &path, "{".repeat(900 << 10)).await.refuses(400, "INVALID_JSON");
    }
    let calls = (0..8).map(|_| app.api.post(&path, json!({"results": [&result]})));
    for answer in futures_util::future::join_all(calls).await {
        answer.is(200);
    }
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_answered_all_the_same() {
    let app = TestApp::within(Limits { call: Duration::from_millis(20), ..Limits::default() }).await;
    app.endpoints.hang("https://api.openai.com/v1/models");
    let agent = app.api.agent("Assistant").await;
    let answer = app.api.post(&format!("/agents/{agent}/validate"), json!({})).await;
    assert!(answer.refuses(504, "TIMEOUT").is_null());
}
