//! Compression, request ids, and what a browser of somebody else's page is told.

use axum::{body::Body, http::Request};
use serde_json::json;

use crate::app::{Answer, TestApp};

async fn asking(app: &TestApp, path: &str, encodings: &str) -> Answer {
    app.api.call_with("GET", path, &[("accept-encoding", encodings)], "").await
}

#[tokio::test]
async fn a_long_answer_is_compressed_for_those_who_ask() {
    let app = TestApp::new().await;
    let short = asking(&app, "/test-suites", "gzip").await;
    assert_eq!(short.header("content-encoding"), None);
    let long = "x".repeat(1200);
    app.api.post("/test-suites", json!({"name": "Long", "description": long})).await.is(201);
    let plain = asking(&app, "/test-suites", "identity").await;
    assert_eq!(plain.header("content-encoding"), None);
    for encodings in ["gzip", "br, gzip;q=0.5", "*"] {
        let answer = asking(&app, "/test-suites", encodings).await;
        assert_eq!((answer.header("content-encoding"), answer.header("vary")), (Some("gzip"), Some("accept-encoding")));
        assert_eq!(answer.is(200), plain.is(200));
    }
    let refused = asking(&app, &format!("/test-suites?{}=1", "x".repeat(1200)), "gzip").await;
    refused.refuses(400, "INVALID_FIELD_VALUE");
}

#[tokio::test]
async fn under_one_tag_lies_one_sequence_of_bytes() {
    let app = TestApp::new().await;
    let body = json!({"provider": "vapi", "name": "Long", "config": {}, "description": "x".repeat(1200)});
    let id = app.api.post("/agents", body).await.id();
    let answer = asking(&app, &format!("/agents/{id}"), "gzip").await;
    assert!(answer.header("etag").is_some());
    assert_eq!(answer.header("content-encoding"), None);
}

#[tokio::test]
async fn a_request_has_the_id_that_its_caller_gave_it_or_a_new_one() {
    let app = TestApp::new().await;
    let named = async |id: &[u8]| {
        let request = Request::get("/api/v1/runs").header("x-request-id", id).body(Body::empty()).unwrap();
        app.api.send(request).await.header("x-request-id").unwrap().to_owned()
    };
    for good in ["a", "A-z_0.9", &"x".repeat(128)] {
        assert_eq!(named(good.as_bytes()).await, good);
    }
    let mut new = std::collections::BTreeSet::new();
    for bad in [&b""[..], b"a b", b"a\"b", b"\xff", b"a,b", b"a/b", "x".repeat(129).as_bytes()] {
        let id = named(bad).await;
        assert_eq!(id.parse::<uuid::Uuid>().unwrap().to_string(), id);
        assert!(new.insert(id));
    }
    for path in ["/api/v1/nothing", "/nothing", "/health"] {
        let request = Request::patch(path).header("x-request-id", "mine").body(Body::empty()).unwrap();
        assert_eq!(app.presenting(None).send(request).await.header("x-request-id"), Some("mine"));
    }
}

#[tokio::test]
async fn a_page_of_another_origin_is_given_no_leave() {
    let app = TestApp::new().await;
    let preflight = [("origin", "https://other.example"), ("access-control-request-method", "POST")];
    let asked = app.api.call_with("OPTIONS", "/runs", &preflight, "").await;
    asked.refuses(405, "METHOD_NOT_ALLOWED");
    let read = app.api.call_with("GET", "/runs", &preflight[..1], "").await;
    for answer in [asked, read] {
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control-")));
    }
}
