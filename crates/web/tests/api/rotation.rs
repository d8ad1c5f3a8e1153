//! `POST /webhooks/{id}/rotate-secret`

use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, URL, names};

/// The secrets that the next request is signed with.
async fn signing(app: &TestApp, agent: &str) -> Vec<String> {
    app.api.delivered(agent).await;
    app.handoff.sent().last().unwrap().secrets.iter().map(|secret| secret.expose().to_owned()).collect()
}

#[tokio::test]
async fn a_generated_secret_is_shown_once_and_the_old_one_signs_for_a_day() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let webhook = app.api.webhook(URL, None).await;
    let rotated = app.api.post(&format!("/webhooks/{webhook}/rotate-secret"), json!({})).await.is(200);
    assert_eq!(names(&rotated), ["id", "previous_secret_valid_until", "secret"]);
    assert_eq!((&rotated["id"], &rotated["previous_secret_valid_until"]), (&json!(webhook), &json!("2026-01-31T10:30:00Z")));
    let secret = rotated["secret"].as_str().unwrap();
    assert_eq!((secret.len(), &secret[..6]), (6 + 44, "whsec_"), "32 bytes in base64");
    assert_eq!(signing(&app, &agent).await, [secret, "canary-of-secret"]);
    app.pass(24 * 3600);
    assert_eq!(signing(&app, &agent).await, [secret]);
    assert!(!app.api.get(&format!("/webhooks/{webhook}")).await.text().contains(secret));
}

#[tokio::test]
async fn a_chosen_secret_is_not_shown_and_the_overlap_is_the_callers_choice() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let webhook = app.api.webhook(URL, None).await;
    let rotate = async |body: Value| app.api.post(&format!("/webhooks/{webhook}/rotate-secret"), body).await.is(200);
    let answer = rotate(json!({"secret": "second", "overlap_seconds": 0})).await;
    assert_eq!(answer, json!({"id": webhook, "previous_secret_valid_until": null}));
    assert_eq!(signing(&app, &agent).await, ["second"]);
    let answer = rotate(json!({"secret": "third", "overlap_seconds": 7 * 24 * 3600})).await;
    assert_eq!(answer["previous_secret_valid_until"], "2026-02-06T10:30:00Z");
    assert_eq!(signing(&app, &agent).await, ["third", "second"]);
}

#[tokio::test]
async fn a_bad_rotation_is_refused_and_changes_nothing() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let path = format!("/webhooks/{webhook}/rotate-secret");
    let stranger = app.stranger().await;
    let before = app.database.rows();
    for (body, field) in [
        (json!({"secret": ""}), "secret"),
        (json!({"secret": "x".repeat(513)}), "secret"),
        (json!({"secret": "whsec_"}), "secret"),
        (json!({"overlap_seconds": -1}), "overlap_seconds"),
        (json!({"overlap_seconds": 7 * 24 * 3600 + 1}), "overlap_seconds"),
        (json!({"overlap": 1}), "overlap"),
    ] {
        app.api.post(&path, body).await.refuses_field("INVALID_FIELD_VALUE", field);
    }
    stranger.post(&path, json!({})).await.refuses(404, "NOT_FOUND");
    app.api.post(&format!("/webhooks/{NOBODY}/rotate-secret"), json!({})).await.refuses(404, "NOT_FOUND");
    assert_eq!(app.database.rows(), before);
}
