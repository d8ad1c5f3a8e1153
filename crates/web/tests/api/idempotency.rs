//! `Idempotency-Key`

use serde_json::json;

use crate::app::{Answer, Client, TestApp, URL};

async fn post(api: &Client, path: &str, key: &str, body: &serde_json::Value) -> Answer {
    api.call_with("POST", path, &[("idempotency-key", key)], body.to_string()).await
}

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

#[tokio::test]
async fn a_repeated_call_is_answered_as_the_first_was_for_a_day() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let body = json!({"agent_id": agent});
    let first = post(&app.api, "/runs", "k", &body).await;
    let run = first.id();
    assert!(!is_replayed(&first));
    app.api.complete(&run).await;
    app.pass(24 * 3600 - 1);
    let again = post(&app.api, "/runs", "k", &body).await;
    assert!(is_replayed(&again));
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    for header in ["location", "content-type"] {
        assert!(first.header(header).is_some());
        assert_eq!(again.header(header), first.header(header));
    }
    assert_eq!(app.api.get("/runs").await.is(200)["total"], 1);
    app.pass(1);
    assert_ne!(post(&app.api, "/runs", "k", &body).await.id(), run, "it is forgotten");
}

#[tokio::test]
async fn a_key_counts_for_one_organization_and_path_and_body() {
    let app = TestApp::new().await;
    let suite = |name: &str| json!({"name": name});
    let first = post(&app.api, "/test-suites", "k", &suite("One")).await.id();
    let other = post(&app.api, "/test-suites", "k", &suite("Two")).await;
    assert!(other.refuses(409, "IDEMPOTENCY_KEY_REUSED").is_null());
    assert_eq!(other.header("retry-after"), None);
    let stranger = app.stranger().await;
    assert_ne!(post(&stranger, "/test-suites", "k", &suite("One")).await.id(), first);
    assert_ne!(post(&app.api, "/test-suites", "l", &suite("One")).await.id(), first);
    assert_ne!(app.api.post("/test-suites", suite("One")).await.id(), first, "without a key every call counts");
    post(&app.api, "/agents", "k", &json!({"provider": "vapi", "name": "One", "config": {}})).await.is(201);
    assert_eq!(app.api.get("/test-suites").await.is(200)["total"], 3);
}

#[tokio::test]
async fn a_refusal_is_repeated_too_and_one_for_lack_of_rights_or_room_is_not() {
    let app = TestApp::new().await;
    let name = json!({"name": ""});
    let refused = post(&app.api, "/test-suites", "k", &name).await;
    refused.refuses_field("INVALID_FIELD_VALUE", "name");
    let again = post(&app.api, "/test-suites", "k", &name).await;
    assert!(is_replayed(&again));
    assert_eq!((again.status, again.body), (refused.status, refused.body));

    let reader =
        app.with_key(|key| preclinical_core::api_key::ApiKey { scope: preclinical_core::scope::Scope::Read, ..key }).await;
    post(&reader, "/test-suites", "r", &json!({"name": "x"})).await.refuses(403, "FORBIDDEN");
    app.presenting(None)
        .call_with("POST", "/test-suites", &[("idempotency-key", "r")], "{}")
        .await
        .refuses(401, "UNAUTHORIZED");
    post(&app.api, "/test-suites", "r", &json!({"name": "x"})).await.is(201);
    let answer = post(&reader, "/test-suites", "r", &json!({"name": "x"})).await;
    answer.refuses(403, "FORBIDDEN");

    let webhook = app.api.webhook(URL, None).await;
    app.handoff.fill();
    let test = format!("/webhooks/{webhook}/test");
    post(&app.api, &test, "t", &json!({})).await.refuses(429, "RATE_LIMITED");
    assert!(!is_replayed(&post(&app.api, &test, "t", &json!({})).await));
}

#[tokio::test]
async fn a_failure_of_the_store_leaves_the_key_free() {
    let app = TestApp::new().await;
    app.database.hide(|table| table == "test_suites");
    post(&app.api, "/test-suites", "k", &json!({"name": "One"})).await.refuses(503, "UNAVAILABLE");
    app.database.restore();
    post(&app.api, "/test-suites", "k", &json!({"name": "Other"})).await.is(201);
    app.database.hide(|table| table == "calls");
    post(&app.api, "/test-suites", "l", &json!({"name": "One"})).await.refuses(503, "UNAVAILABLE");
    app.api.post("/test-suites", json!({"name": "One"})).await.is(201);
}

#[tokio::test]
async fn a_secret_that_is_shown_once_is_shown_again_to_whoever_repeats_the_call_and_lies_sealed() {
    let app = TestApp::new().await;
    let path = format!("/webhooks/{}/rotate-secret", app.api.webhook(URL, None).await);
    let shown = post(&app.api, &path, "k", &json!({})).await.is(200)["secret"].as_str().unwrap().to_owned();
    assert_eq!(post(&app.api, &path, "k", &json!({})).await.is(200)["secret"], shown);
    let rows = app.database.rows();
    assert!(rows.iter().any(|(table, _)| table == "calls"));
    assert!(!format!("{rows:?}").contains(&shown));
    for (_, row) in rows {
        for value in row {
            if let rusqlite::types::Value::Blob(bytes) = value {
                assert!(!bytes.windows(shown.len()).any(|part| part == shown.as_bytes()));
            }
        }
    }
}

#[tokio::test]
async fn a_key_is_1_to_255_visible_ascii_characters() {
    let app = TestApp::new().await;
    let before = app.database.rows();
    for wrong in ["", " ", "a b", "a\tb", "ü", &"k".repeat(256)] {
        let request = axum::http::Request::post("/api/v1/test-suites").header("idempotency-key", wrong.as_bytes());
        let answer = app.api.send(request.body(r#"{"name":"x"}"#.into()).unwrap()).await;
        answer.refuses_field("INVALID_FIELD_VALUE", "Idempotency-Key");
    }
    let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
    let answer = app.api.call_with("POST", "/test-suites", &twice, r#"{"name":"x"}"#).await;
    answer.refuses_field("INVALID_FIELD_VALUE", "Idempotency-Key");
    assert_eq!(app.database.rows(), before);
    for right in ["k", "!~", &"k".repeat(255)] {
        post(&app.api, "/test-suites", right, &json!({"name": "x"})).await.is(201);
    }
}

#[tokio::test]
async fn bodies_are_bounded_and_read_as_strictly_as_without_a_key() {
    let app = TestApp::new().await;
    let call = async |path: &str, body: String| app.api.call_with("POST", path, &[("idempotency-key", "k")], body).await;
    let long = |length: usize| format!(r#"{{"name":"{}"}}"#, "x".repeat(length));
    call("/test-suites", long(256 * 1024)).await.refuses(413, "PAYLOAD_TOO_LARGE");
    call("/test-suites", "{".to_owned()).await.refuses(400, "INVALID_JSON");
    let run = app.api.run(&app.api.agent("Assistant").await, None).await;
    let path = format!("/runs/{run}/results");
    let transcript = "x".repeat(1024 * 1024);
    let result = json!({"scenario_id": "1", "scenario_name": "1", "status": "passed", "transcript": transcript});
    call(&path, json!({"results": [result]}).to_string()).await.is(200);
    app.api.call_with("GET", "/runs", &[("idempotency-key", "")], "").await.is(200);
}
