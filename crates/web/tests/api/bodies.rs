//! Request bodies before their fields are looked at: size, type, JSON.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{Request, header},
};
use bytes::Bytes;
use http_body::Frame;
use serde_json::json;

use crate::app::{Answer, NOBODY, TestApp, URL};

const SMALL: usize = 256 * 1024;
const LARGE: usize = 16 * 1024 * 1024;

/// Every call that takes a body, with ids that are there.
async fn calls(app: &TestApp) -> [(&'static str, String); 10] {
    let agent = app.api.agent("Assistant").await;
    let webhook = app.api.webhook(URL, None).await;
    let delivery = app.api.delivered(&agent).await;
    let run = app.api.run(&agent, Some(1)).await;
    [
        ("POST", "/agents".to_owned()),
        ("POST", "/webhooks".to_owned()),
        ("PUT", format!("/webhooks/{webhook}")),
        ("POST", format!("/webhooks/{webhook}/test")),
        ("POST", format!("/webhooks/deliveries/{delivery}/redeliver")),
        ("POST", "/webhooks/redeliveries".to_owned()),
        ("POST", "/runs".to_owned()),
        ("POST", format!("/runs/{run}/results")),
        ("POST", format!("/runs/{run}/complete")),
        ("POST", format!("/runs/{run}/cancel")),
    ]
}

#[tokio::test]
async fn what_is_no_json_object_is_refused_everywhere_and_changes_nothing() {
    let app = TestApp::new().await;
    let calls = calls(&app).await;
    let (before, sent) = (app.database.rows(), app.handoff.sent().len());
    let deep =
        |opening: &str, closing: &str| format!("{{\"config\":{}1{}}}", opening.repeat(20_000), closing.repeat(20_000));
    let bodies: Vec<Vec<u8>> = [
        "{",
        "}",
        "[]",
        "[{}]",
        "\"{}\"",
        "1",
        "null",
        "true",
        " ",
        "\n",
        "undefined",
        "{}{}",
        "{} x",
        "{'a':1}",
        "{a:1}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1e400}",
        "{\"a\":-1e400}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\\ud800\"}",
        "{\"\\ud800\":1}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\u{0}\"}",
        "{\"a\":\"\n\"}",
        "\u{0}",
        "{/* */}",
        "{}//",
        "\u{feff}{}",
        "name=Assistant",
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([
        b"\xff".to_vec(),
        b"{\"a\":\"\xff\"}".to_vec(),
        b"{\"a\":\"\xed\xa0\x80\"}".to_vec(),
        b"\xfe\xff\0{\0}".to_vec(),
    ])
    .chain([deep("[", "]").into_bytes(), deep("{\"a\":", "}").into_bytes(), "[".repeat(SMALL).into_bytes()])
    .collect();
    for (method, path) in &calls {
        for body in &bodies {
            let answer = app.api.call(method, path, body.clone()).await;
            assert!(answer.refuses(400, "INVALID_JSON").is_null(), "{method} {path} {}", String::from_utf8_lossy(body));
            assert!(answer.body.len() < 300);
        }
    }
    app.handoff.idle().await;
    assert_eq!((app.database.rows(), app.handoff.sent().len(), app.handoff.wakes()), (before, sent, 0));
}

#[tokio::test]
async fn json_that_means_different_things_to_different_readers_is_refused() {
    let app = TestApp::new().await;
    let before = app.database.rows();
    let agent = r#""provider":"openai","name":"Assistant""#;
    let smuggled = r#""$serde_json::private::RawValue":"{\"provider\":\"openai\",\"name\":\"Assistant\",\"config\":{}}""#;
    for body in [
        format!(r#"{{{agent},"config":{{}},"config":{{}}}}"#),
        format!(r#"{{{agent},"config":{{}},"nam\u0065":"Other"}}"#),
        format!(r#"{{{agent},"config":{{"a":[{{"b":1,"b":2}}]}}}}"#),
        format!("{{{smuggled}}}"),
        format!("{{{}}}", smuggled.replace('$', "\\u0024")),
        format!(r#"{{{agent},"config":{{"$serde_json::private::RawValue":"[1"}}}}"#),
        format!(r#"{{{agent},"config":{{"a":1,"$serde_json::private::Number":"1"}}}}"#),
    ] {
        assert!(app.api.call("POST", "/agents", body).await.refuses(400, "INVALID_JSON").is_null());
    }
    assert_eq!(app.database.rows(), before);
}

#[tokio::test]
async fn json_within_json_cannot_be_nested_without_end() {
    let app = TestApp::new().await;
    let mut body = "{}".to_owned();
    while body.len() < SMALL / 2 {
        let quoted = body.replace('\\', "\\u005c").replace('"', "\\u0022");
        body = format!("{}{{\"$serde_json::private::RawValue\":\"{quoted}\"}}{}", "[".repeat(100), "]".repeat(100));
    }
    let body = format!(r#"{{"provider":"openai","name":"Assistant","config":{{"a":{body}}}}}"#);
    assert!(body.len() <= SMALL);
    app.api.call("POST", "/agents", body).await.refuses(400, "INVALID_JSON");
}

#[tokio::test]
async fn a_transcript_may_be_as_deep_as_json_is_taken_and_is_read_back() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, None).await;
    let path = format!("/runs/{run}/results");
    let report = |depth: usize| {
        let transcript = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!(
            r#"{{"results":[{{"scenario_id":"{depth}","scenario_name":"Deep","status":"passed","transcript":{transcript}}}]}}"#
        )
    };
    app.api.call("POST", &path, report(124)).await.is(200);
    app.api.call("POST", &path, report(125)).await.refuses(400, "INVALID_JSON");
    let read = app.api.get(&path).await;
    assert_eq!(read.status, 200);
    assert!(read.text().contains(&"[".repeat(124)));
}

#[tokio::test]
async fn a_body_that_is_announced_as_too_large_is_not_read() {
    let app = TestApp::new().await;
    for (method, path) in calls(&app).await {
        let limit = if path.ends_with("/results") { LARGE } else { SMALL };
        let (body, read) = Endless::new();
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = request.header(header::CONTENT_LENGTH, limit + 1).body(Body::new(body)).unwrap();
        too_large(&app.api.send(request).await, limit);
        assert_eq!(read.load(Ordering::Relaxed), 0, "{path}");
    }
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_is_read_up_to_the_limit() {
    let app = TestApp::new().await;
    let before = calls(&app).await;
    let rows = app.database.rows();
    for (method, path) in before {
        let limit = if path.ends_with("/results") { LARGE } else { SMALL };
        let (body, read) = Endless::new();
        too_large(&app.api.call(method, &path, Body::new(body)).await, limit);
        assert!(read.load(Ordering::Relaxed) <= limit + CHUNK, "{path}");
        let (body, read) = Endless::new();
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = request.header(header::CONTENT_LENGTH, "x").body(Body::new(body)).unwrap();
        too_large(&app.api.send(request).await, limit);
        assert!(read.load(Ordering::Relaxed) <= limit + CHUNK, "{path}");
    }
    assert_eq!(app.database.rows(), rows);
}

#[tokio::test]
async fn a_body_may_be_as_long_as_the_limit() {
    let app = TestApp::new().await;
    let padded = |body: &str, length: usize| format!("{body}{}", " ".repeat(length - body.len()));
    let agent = r#"{"provider":"openai","name":"Assistant","config":{}}"#;
    too_large(&app.api.call("POST", "/agents", padded(agent, SMALL + 1)).await, SMALL);
    let agent = app.api.call("POST", "/agents", padded(agent, SMALL)).await.id();
    let path = format!("/runs/{}/results", app.api.run(&agent, None).await);
    let report = r#"{"results":[{"scenario_id":"1","scenario_name":"One","status":"passed"}]}"#;
    too_large(&app.api.call("POST", &path, padded(report, LARGE + 1)).await, LARGE);
    app.api.call("POST", &path, padded(report, LARGE)).await.is(200);
}

fn too_large(answer: &Answer, limit: usize) {
    assert_eq!(answer.refuses(413, "PAYLOAD_TOO_LARGE"), json!({"limit_bytes": limit}));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let app = TestApp::new().await;
    let body = Body::new(Broken);
    app.api.call("POST", "/agents", body).await.refuses(400, "INVALID_JSON");
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let app = TestApp::new().await;
    let calls = calls(&app).await;
    let rows = app.database.rows();
    for wrong in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "application/jsonp",
        "json",
        "",
    ] {
        for (method, path) in &calls {
            let request =
                Request::builder().method(*method).uri(format!("/api/v1{path}")).header(header::CONTENT_TYPE, wrong);
            let answer = app.api.send(request.body(Body::from("{}")).unwrap()).await;
            assert!(answer.refuses(415, "UNSUPPORTED_MEDIA_TYPE").is_null(), "{wrong}");
        }
    }
    assert_eq!(app.database.rows(), rows);
}

#[tokio::test]
async fn a_body_of_json_by_any_name_is_taken_and_an_empty_one_needs_none() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let names = [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON;charset=UTF-8",
        "application/vnd.api+json",
    ];
    for name in names.map(Some).into_iter().chain([None]) {
        let mut request = Request::post("/api/v1/runs");
        if let Some(name) = name {
            request = request.header(header::CONTENT_TYPE, name);
        }
        app.api.send(request.body(Body::from(json!({"agent_id": agent}).to_string())).unwrap()).await.is(201);
    }
    let request = Request::post("/api/v1/runs/TR-00001/cancel").header(header::CONTENT_TYPE, "text/plain");
    app.api.send(request.body(Body::empty()).unwrap()).await.is(200);
    app.api.call("POST", "/runs", "").await.refuses_field("MISSING_REQUIRED_FIELD", "agent_id");
    app.api.call("PUT", &format!("/webhooks/{NOBODY}"), "").await.refuses(404, "NOT_FOUND");
}

/// Bytes that one frame brings.
const CHUNK: usize = 64 * 1024;

/// A body that never ends, and how many bytes were taken of it.
struct Endless(Arc<AtomicUsize>);

impl Endless {
    fn new() -> (Self, Arc<AtomicUsize>) {
        let read = Arc::new(AtomicUsize::new(0));
        (Self(read.clone()), read)
    }
}

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.fetch_add(CHUNK, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b' '; CHUNK])))))
    }
}

/// A body whose connection breaks.
struct Broken;

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(Err("the connection broke")))
    }
}
