//! `ETag`, `If-Match` and `If-None-Match`

use preclinical_core::retry::NextStep;
use preclinical_testkit::world::answered;
use serde_json::json;

use crate::app::{Answer, TestApp, URL};

fn tag(answer: &Answer) -> String {
    answer.header("etag").unwrap().to_owned()
}

/// The paths of an agent and a webhook.
async fn resources(app: &TestApp) -> [String; 2] {
    [format!("/agents/{}", app.api.agent("Assistant").await), format!("/webhooks/{}", app.api.webhook(URL, None).await)]
}

#[tokio::test]
async fn every_change_has_a_tag_of_its_own_also_one_that_no_answer_shows() {
    let app = TestApp::new().await;
    for (path, hidden) in resources(&app).await.into_iter().zip([json!({"config": {}}), json!({"secret": "other"})]) {
        let mut seen = vec![tag(&app.api.get(&path).await)];
        for change in [json!({"description": "d"}), hidden, json!({})] {
            let changed = app.api.put(&path, change).await;
            assert_eq!(tag(&changed), tag(&app.api.get(&path).await));
            assert!(!seen.contains(&tag(&changed)), "{path}");
            seen.push(tag(&changed));
        }
    }
    let patched = app.api.call("PATCH", &resources_of_another(&app).await, "{}").await;
    assert_eq!(tag(&patched), "\"2\"");
}

async fn resources_of_another(app: &TestApp) -> String {
    let created = app.api.post("/agents", json!({"provider": "vapi", "name": "Other", "config": {}})).await;
    assert_eq!(tag(&created), "\"1\"");
    format!("/agents/{}", created.id())
}

#[tokio::test]
async fn a_stale_change_or_deletion_is_refused_and_changes_nothing() {
    let app = TestApp::new().await;
    for path in resources(&app).await {
        let first = tag(&app.api.get(&path).await);
        app.api.put(&path, json!({"description": "theirs"})).await.is(200);
        let before = app.database.rows();
        for stale in [first.as_str(), "\"7\"", "W/\"2\"", "\"02\"", "\"two\"", "\"7\", \"8\"", "\"\""] {
            for (method, body) in
                [("PUT", r#"{"description":"ours"}"#), ("PATCH", r#"{"description":"ours"}"#), ("DELETE", "")]
            {
                if method == "PATCH" && path.starts_with("/webhooks") {
                    continue;
                }
                let refused = app.api.call_with(method, &path, &[("if-match", stale)], body).await;
                assert!(refused.refuses(412, "PRECONDITION_FAILED").is_null(), "{method} {stale}");
            }
        }
        assert_eq!(app.database.rows(), before);
        let current = tag(&app.api.get(&path).await);
        let list = format!("\"9\" , {current}");
        let changed = app.api.call_with("PUT", &path, &[("if-match", list.as_str())], r#"{"description":"ours"}"#).await;
        assert_eq!(changed.is(200)["description"], "ours");
        app.api.call_with("PUT", &path, &[("if-match", "*")], "{}").await.is(200);
        let current = tag(&app.api.get(&path).await);
        let deleted = app.api.call_with("DELETE", &path, &[("if-match", current.as_str())], "").await;
        assert_eq!(deleted.status, 204);
    }
}

#[tokio::test]
async fn whoever_has_a_resource_gets_no_second_copy() {
    let app = TestApp::new().await;
    for path in resources(&app).await {
        let first = tag(&app.api.get(&path).await);
        let weak = format!("\"x\",W/{first}");
        for known in [first.as_str(), weak.as_str(), "*"] {
            let answer = app.api.call_with("GET", &path, &[("if-none-match", known)], "").await;
            assert_eq!((answer.status.as_u16(), answer.text(), tag(&answer)), (304, "", first.clone()));
        }
        app.api.call_with("GET", &path, &[("if-none-match", "\"0\"")], "").await.is(200);
        app.api.put(&path, json!({})).await.is(200);
        app.api.call_with("GET", &path, &[("if-none-match", first.as_str())], "").await.is(200);
    }
}

#[tokio::test]
async fn what_deliveries_leave_on_a_webhook_changes_its_tag_and_makes_no_change_stale() {
    let app = TestApp::new().await;
    let path = format!("/webhooks/{}", app.api.webhook(URL, None).await);
    let before = tag(&app.api.get(&path).await);
    app.api.delivered(&app.api.agent("Assistant").await).await;
    let sent = app.handoff.sent().pop().unwrap();
    app.world.store.record(app.world.record(&sent, answered(500), NextStep::Exhausted)).await.unwrap();
    let answer = app.api.call_with("GET", &path, &[("if-none-match", before.as_str())], "").await;
    assert_eq!(answer.is(200)["consecutive_failures"], 1);
    assert_ne!(tag(&answer), before);
    app.api.call_with("PUT", &path, &[("if-match", before.as_str())], "{}").await.is(200);
    app.api.call_with("PUT", &path, &[("if-match", before.as_str())], "{}").await.refuses(412, "PRECONDITION_FAILED");
}

#[tokio::test]
async fn a_header_that_is_no_list_of_tags_is_refused() {
    let app = TestApp::new().await;
    for path in resources(&app).await {
        for wrong in ["", ",", "1", "\"1", "\"1\" \"2\"", "w/\"1\"", "\"1\", *"] {
            let answer = app.api.call_with("PUT", &path, &[("if-match", wrong)], "{}").await;
            answer.refuses_field("INVALID_FIELD_VALUE", "If-Match");
            let answer = app.api.call_with("GET", &path, &[("if-none-match", wrong)], "").await;
            answer.refuses_field("INVALID_FIELD_VALUE", "If-None-Match");
        }
    }
}
