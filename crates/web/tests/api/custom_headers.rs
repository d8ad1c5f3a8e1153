//! Custom headers of webhooks.

use preclinical_core::custom_header::{MASK, MAX_HEADERS, MAX_VALUE_BYTES};
use preclinical_testkit::world::header_pairs;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, URL, names};

const CANARY: &str = "canary-of-header";

async fn create(app: &TestApp, headers: Value) -> Answer {
    app.api.post("/webhooks", json!({"url": URL, "headers": headers})).await
}

/// The headers that the next delivery goes out with.
async fn sent(app: &TestApp, agent: &str) -> Vec<(String, String)> {
    app.api.delivered(agent).await;
    header_pairs(&app.handoff.sent().pop().unwrap().headers)
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

#[tokio::test]
async fn custom_headers_are_sent_and_their_values_never_shown() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let bearer = format!("Bearer {CANARY}");
    let created = create(&app, json!({"X-Tenant": CANARY, "Authorization": bearer})).await.is(201);
    assert_eq!(created["headers"], json!({"X-Tenant": MASK, "Authorization": MASK}));
    assert_eq!(names(&created["headers"]), ["X-Tenant", "Authorization"], "in the order in which they were given");
    let path = format!("/webhooks/{}", created["id"].as_str().unwrap());
    assert_eq!(app.api.get(&path).await.is(200), created);
    assert_eq!(app.api.get("/webhooks").await.is(200)["webhooks"][0], created);
    let in_force = app.api.get(&format!("/agents/{agent}/effective-webhook")).await.is(200);
    assert_eq!(in_force["webhook"]["headers"], created["headers"]);
    assert_eq!(sent(&app, &agent).await, pairs([("X-Tenant", CANARY), ("Authorization", &bearer)]));
    app.api.post(&format!("{path}/test"), json!({})).await.is(200);
    let test = app.handoff.sent().pop().unwrap();
    assert_eq!(header_pairs(&test.headers), pairs([("X-Tenant", CANARY), ("Authorization", &bearer)]));
}

#[tokio::test]
async fn a_change_replaces_all_custom_headers_and_null_or_the_mask_keeps_a_value() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let created = create(&app, json!({"X-One": "1", "X-Two": "2", "X-Three": "3"})).await;
    let path = format!("/webhooks/{}", created.id());
    let change = async |headers: Value| app.api.put(&path, json!({"headers": headers})).await.is(200)["headers"].clone();

    let answered = change(json!({"x-three": null, "X-One": MASK, "X-Four": "4"})).await;
    assert_eq!(names(&answered), ["x-three", "X-One", "X-Four"]);
    assert_eq!(sent(&app, &agent).await, pairs([("x-three", "3"), ("X-One", "1"), ("X-Four", "4")]));
    // What was answered can be given back as it is.
    assert_eq!(change(answered.clone()).await, answered);
    assert_eq!(sent(&app, &agent).await, pairs([("x-three", "3"), ("X-One", "1"), ("X-Four", "4")]));

    assert_eq!(app.api.put(&path, json!({"description": "untouched"})).await.is(200)["headers"], answered);
    assert_eq!(change(json!({"X-One": "new"})).await, json!({"X-One": MASK}));
    assert_eq!(sent(&app, &agent).await, pairs([("X-One", "new")]));
    for none in [json!({}), Value::Null] {
        app.api.put(&path, json!({"headers": {"X-One": "1"}})).await.is(200);
        assert_eq!(change(none).await, json!({}));
        assert_eq!(sent(&app, &agent).await, pairs([]));
    }
    app.api.put(&path, json!({"headers": {"X-One": null}})).await.refuses_field("INVALID_FIELD_VALUE", "headers.X-One");
}

#[tokio::test]
async fn a_new_value_is_a_new_version_and_a_stale_change_of_one_is_refused() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let created = create(&app, json!({"X-One": "1"})).await;
    let path = format!("/webhooks/{}", created.id());
    let before = created.header("etag").unwrap().to_owned();
    let change = |value: &str| json!({"headers": {"X-One": value}}).to_string();
    let changed = app.api.call_with("PUT", &path, &[("if-match", &before)], change("2")).await;
    changed.is(200);
    assert_ne!(changed.header("etag"), Some(before.as_str()), "although no answer shows what changed");
    let stale = app.api.call_with("PUT", &path, &[("if-match", &before)], change("3")).await;
    stale.refuses(412, "PRECONDITION_FAILED");
    assert_eq!(sent(&app, &agent).await, pairs([("X-One", "2")]));
}

#[tokio::test]
async fn a_creation_that_is_repeated_is_answered_again_and_made_once() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let body = |value: &str| json!({"url": URL, "headers": {"X-One": value}}).to_string();
    let create = |value| app.api.call_with("POST", "/webhooks", &[("idempotency-key", "once")], body(value));
    let (first, again) = (create("1").await, create("1").await);
    assert_eq!(first.is(201), again.is(201));
    create("2").await.refuses(409, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(app.api.get("/webhooks").await.is(200)["total"], 1);
    assert_eq!(sent(&app, &agent).await, pairs([("X-One", "1")]));
}

#[tokio::test]
async fn a_header_that_is_refused_is_named_and_nothing_is_changed() {
    let app = TestApp::new().await;
    let created = create(&app, json!({"X-One": "1"})).await;
    let path = format!("/webhooks/{}", created.id());
    let agent = app.api.agent("Assistant").await;
    let before = app.database.rows();
    let long = "v".repeat(MAX_VALUE_BYTES + 1);
    let many: serde_json::Map<_, _> = (0..=MAX_HEADERS).map(|number| (format!("X-{number}"), json!("1"))).collect();
    let large: serde_json::Map<_, _> = (0..5).map(|number| (format!("X-{number}"), json!("v".repeat(2000)))).collect();
    let endless = "x".repeat(100_000);
    let mut refusals = vec![
        (json!("X-One: 1"), "headers".to_owned()),
        (json!(["X-One"]), "headers".to_owned()),
        (json!({"": "1"}), "headers".to_owned()),
        (json!(many), "headers".to_owned()),
        (json!(large), "headers".to_owned()),
        (json!({"X-A": "1", "x-a": "1"}), "headers.x-a".to_owned()),
        (json!({ &endless: "1" }), format!("headers.{}", &endless[..128])),
        (json!({"X-New": null}), "headers.X-New".to_owned()),
        (json!({"X-New": MASK}), "headers.X-New".to_owned()),
        (json!({"Authorization": "Bearer Oracle"}), "headers.Authorization".to_owned()),
    ];
    for value in
        [json!(""), json!(" a"), json!("a\r\nb: c"), json!("a\0"), json!("é"), json!(long), json!(1), json!({"a": 1})]
    {
        refusals.push((json!({ "X-One": value }), "headers.X-One".to_owned()));
    }
    for name in [
        "Host",
        "content-length",
        ":authority",
        "X Y",
        "webhook-signature",
        "Webhook_Id",
        "Cookie",
        "Metadata-Flavor",
        "é",
        "a\r\nb",
    ] {
        refusals.push((json!({ name: "1" }), format!("headers.{name}")));
    }
    for (headers, field) in refusals {
        let creation = json!({"url": URL, "agent_id": agent, "headers": headers});
        app.api.post("/webhooks", creation).await.refuses_field("INVALID_FIELD_VALUE", &field);
        app.api.put(&path, json!({"headers": headers})).await.refuses_field("INVALID_FIELD_VALUE", &field);
    }
    assert_eq!(app.database.rows(), before);
}
