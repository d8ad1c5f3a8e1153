//! `/webhooks/{id}/test`

use preclinical_core::{
    attempt::{AttemptError, ErrorKind},
    event::EventKind,
    port::AttemptSummary,
};
use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, URL};

#[tokio::test]
async fn a_test_tells_how_its_one_attempt_ended() {
    let app = TestApp::new().await;
    let path = format!("/webhooks/{}/test", app.api.webhook(URL, None).await);
    let refused = AttemptError { kind: ErrorKind::Connect, message: "the connection was refused".to_owned() };
    let cut_off = AttemptError { kind: ErrorKind::Reset, message: "the connection broke".to_owned() };
    for (delivered, http_status, error, expected) in [
        (true, Some(204), None, json!({"success": true, "message": "the receiver answered 204", "http_status": 204})),
        (
            false,
            Some(500),
            None,
            json!({"success": false, "message": "the receiver answered 500, which is not a success", "http_status": 500}),
        ),
        (false, None, Some(refused), json!({"success": false, "message": "the connection was refused"})),
        (false, None, Some(cut_off), json!({"success": false, "message": "the connection broke"})),
    ] {
        app.handoff.end_with(Some(AttemptSummary { delivered, http_status, error }));
        assert_eq!(app.api.post(&path, json!({})).await.is(200), expected);
    }
    assert_eq!(app.handoff.sent().len(), 4);
}

#[tokio::test]
async fn a_test_is_a_delivery_of_its_own_kind() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let webhook = app.api.webhook(URL, Some(&agent)).await;
    app.api.call("POST", &format!("/webhooks/{webhook}/test"), "").await.is(200);
    let sent = app.handoff.sent();
    assert_eq!((sent.len(), sent[0].event, sent[0].url.as_str()), (1, EventKind::Test, URL));
    assert_eq!(sent[0].secrets[0].expose(), "canary-of-secret");
    let shown = app.api.deliveries("").await.remove(0);
    assert_eq!((&shown["event"], &shown["is_test"]), (&json!("test"), &json!(true)));
    assert_eq!((&shown["run_id"], &shown["test_run_id"]), (&Value::Null, &Value::Null));
    assert_eq!((&shown["webhook_id"], &shown["agent_id"]), (&json!(webhook), &json!(agent)));
}

#[tokio::test]
async fn a_disabled_webhook_can_be_tested() {
    let app = TestApp::new().await;
    let webhook = app.api.post("/webhooks", json!({"url": URL, "is_enabled": false})).await.id();
    assert_eq!(app.api.post(&format!("/webhooks/{webhook}/test"), json!({})).await.is(200)["success"], true);
}

#[tokio::test]
async fn without_a_free_place_a_test_is_refused_for_now_and_nothing_is_written() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let before = app.database.rows();
    app.handoff.fill();
    let answer = app.api.post(&format!("/webhooks/{webhook}/test"), json!({})).await;
    assert!(answer.refuses(429, "RATE_LIMITED").is_null());
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(app.database.rows(), before);
}

#[tokio::test]
async fn a_test_that_could_not_be_recorded_is_an_error_without_internals() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    app.handoff.end_with(None);
    assert!(app.api.post(&format!("/webhooks/{webhook}/test"), json!({})).await.refuses(500, "INTERNAL_ERROR").is_null());
}

#[tokio::test]
async fn a_missing_webhook_is_not_tested_and_its_place_is_given_back() {
    let app = TestApp::new().await;
    let before = app.database.rows();
    app.api.post(&format!("/webhooks/{NOBODY}/test"), json!({})).await.refuses(404, "NOT_FOUND");
    app.handoff.idle().await;
    assert_eq!((app.database.rows(), app.handoff.sent().len()), (before, 0));
}
