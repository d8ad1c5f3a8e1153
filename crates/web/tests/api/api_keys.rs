//! `/api-keys`

use jiff::{SignedDuration, Timestamp};
use preclinical_core::api_key::ApiKey;
use serde_json::{Value, json};

use crate::app::{Client, NOBODY, TestApp, names};

fn calling(app: &TestApp, created: &Value) -> Client {
    app.presenting(Some(&format!("Bearer {}", created["key"].as_str().unwrap())))
}

#[tokio::test]
async fn a_key_is_shown_once_and_opens_what_its_scope_permits() {
    let app = TestApp::new().await;
    let answer = app.api.post("/api-keys", json!({"name": "ci"})).await;
    let created = answer.is(201);
    let shown = ["id", "name", "scope", "prefix", "created_at", "expires_at", "last_used_at", "revoked_at"];
    assert_eq!(names(&created), [&shown[..], &["key"]].concat());
    assert_eq!(
        (&created["scope"], &created["expires_at"], &created["revoked_at"]),
        (&json!("write"), &Value::Null, &Value::Null)
    );
    let key = created["key"].as_str().unwrap();
    assert_eq!((key.len(), &key[..12]), (48, created["prefix"].as_str().unwrap()));
    calling(&app, &created).agent("Assistant").await;

    let reading = app.api.post("/api-keys", json!({"name": "dashboard", "scope": "read"})).await.is(201);
    let reader = calling(&app, &reading);
    reader.get("/agents").await.is(200);
    reader.post("/test-suites", json!({"name": "x"})).await.refuses(403, "FORBIDDEN");

    let listed = app.api.get("/api-keys").await;
    assert!(!listed.text().contains(key) && !listed.text().contains(&key[12..]));
    let page = listed.is(200);
    assert_eq!((names(&page), &page["total"]), (vec!["api_keys", "total", "limit", "offset"], &json!(3)));
    assert_eq!(names(&page["api_keys"][0]), shown);
}

#[tokio::test]
async fn keys_are_listed_newest_first_page_by_page() {
    let app = TestApp::new().await;
    for name in ["a", "b", "c"] {
        app.pass(1);
        app.api.post("/api-keys", json!({"name": name})).await.is(201);
    }
    let names = async |query: &str| {
        let page = app.api.get(&format!("/api-keys?{query}")).await.is(200);
        let keys = page["api_keys"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned());
        keys.collect::<Vec<_>>().join(" ")
    };
    assert_eq!((names("").await, names("limit=2&offset=1").await), ("c b a tests".to_owned(), "b a".to_owned()));
    for (query, field) in [("limit=0", "limit"), ("offset=-1", "offset"), ("scope=read", "scope")] {
        app.api.get(&format!("/api-keys?{query}")).await.refuses_field("INVALID_FIELD_VALUE", field);
    }
}

#[tokio::test]
async fn a_bad_key_is_refused_and_changes_nothing() {
    let app = TestApp::new().await;
    let before = app.database.rows();
    app.api.post("/api-keys", json!({})).await.refuses_field("MISSING_REQUIRED_FIELD", "name");
    let now = app.world.now();
    for (body, field) in [
        (json!({"name": " "}), "name"),
        (json!({"name": "a\nb"}), "name"),
        (json!({"name": "x".repeat(201)}), "name"),
        (json!({"name": "x", "scope": "admin"}), "scope"),
        (json!({"name": "x", "scope": "Write"}), "scope"),
        (json!({"name": "x", "scope": ["read"]}), "scope"),
        (json!({"name": "x", "expires_at": "tomorrow"}), "expires_at"),
        (json!({"name": "x", "expires_at": now.to_string()}), "expires_at"),
        (json!({"name": "x", "expires_at": "2001-01-01T00:00:00Z"}), "expires_at"),
        (json!({"name": "x", "key": "sk_live_mine"}), "key"),
        (json!({"name": "x", "organization_id": NOBODY}), "organization_id"),
        (json!({"name": "x", "organization": "stranger"}), "organization"),
    ] {
        app.api.post("/api-keys", body).await.refuses_field("INVALID_FIELD_VALUE", field);
    }
    assert_eq!(app.database.rows(), before);
}

#[tokio::test]
async fn a_name_is_taken_until_its_key_is_revoked() {
    let app = TestApp::new().await;
    let first = app.api.post("/api-keys", json!({"name": "ci"})).await.id();
    app.stranger().await.post("/api-keys", json!({"name": "ci"})).await.is(201);
    assert!(app.api.post("/api-keys", json!({"name": "ci"})).await.refuses(409, "ALREADY_EXISTS").is_null());
    assert_eq!(app.api.delete(&format!("/api-keys/{first}")).await.status, 204);
    assert_ne!(app.api.post("/api-keys", json!({"name": "ci"})).await.id(), first);
}

#[tokio::test]
async fn a_revoked_key_is_refused_from_the_next_call_on_also_ones_own() {
    let app = TestApp::new().await;
    app.pass(1);
    let created = app.api.post("/api-keys", json!({"name": "ci"})).await.is(201);
    let path = format!("/api-keys/{}", created["id"].as_str().unwrap());
    let client = calling(&app, &created);
    let revoked = client.delete(&path).await;
    assert_eq!((revoked.status.as_u16(), revoked.body.len()), (204, 0));
    client.get("/agents").await.refuses(401, "UNAUTHORIZED");

    let row = async || app.api.get("/api-keys").await.is(200)["api_keys"][0].clone();
    let listed = row().await;
    assert_eq!(listed["revoked_at"], app.world.now().to_string());
    app.pass(5);
    assert_eq!(app.api.delete(&path).await.status, 204, "a repetition succeeds, too");
    assert_eq!(row().await["revoked_at"], listed["revoked_at"]);
    for nothing in [NOBODY, "nonsense", "ci"] {
        app.api.delete(&format!("/api-keys/{nothing}")).await.refuses(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_key_expires_at_its_time() {
    let app = TestApp::new().await;
    let end: Timestamp = app.world.now() + SignedDuration::from_secs(60);
    let body = json!({"name": "short", "scope": "report", "expires_at": end.to_string()});
    let created = app.api.post("/api-keys", body).await.is(201);
    assert_eq!(created["expires_at"], end.to_string());
    let client = calling(&app, &created);
    app.pass(59);
    client.get("/runs").await.is(200);
    app.pass(1);
    let expired = client.get("/runs").await;
    assert_eq!(expired, app.presenting(Some("Bearer sk_live_unknown")).get("/runs").await);
    expired.refuses(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_stranger_sees_and_revokes_only_its_own_keys() {
    let app = TestApp::new().await;
    let theirs = app.api.post("/api-keys", json!({"name": "ci"})).await.id();
    let stranger = app.stranger().await;
    let before = app.database.rows();
    let of_nothing = stranger.delete(&format!("/api-keys/{NOBODY}")).await;
    assert_eq!(stranger.delete(&format!("/api-keys/{theirs}")).await, of_nothing);
    assert_eq!(app.database.rows(), before);
    assert_eq!(stranger.get("/api-keys").await.is(200)["total"], 1);
    let end = app.world.now() + SignedDuration::from_secs(1);
    app.with_key(|key| ApiKey { expires_at: Some(end), ..key }).await;
    app.pass(1);
    assert_eq!(app.api.get("/api-keys").await.is(200)["total"], 3, "an expired one is listed, too");
}
