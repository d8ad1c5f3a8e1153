//! `/test-suites`

use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, names};

#[tokio::test]
async fn test_suites_are_created_and_listed_newest_first() {
    let app = TestApp::new().await;
    let first = app.api.post("/test-suites", json!({"name": "Emergencies"})).await.is(201);
    app.pass(1);
    let body = json!({"name": "Bookings", "description": "By phone.", "scenario_count": 12});
    let second = app.api.post("/test-suites", body).await.is(201);
    assert_eq!(names(&first), ["id", "name", "description", "scenario_count", "created_at"]);
    assert_eq!((&first["description"], &first["scenario_count"]), (&Value::Null, &json!(0)));
    assert_eq!((&second["description"], &second["scenario_count"]), (&json!("By phone."), &json!(12)));
    let expected = json!({"test_suites": [second, first], "total": 2, "limit": 20, "offset": 0});
    assert_eq!(app.api.get("/test-suites").await.is(200), expected);
    assert_eq!(app.stranger().await.get("/test-suites").await.is(200)["total"], 0);
}

#[tokio::test]
async fn a_bad_test_suite_is_refused_and_changes_nothing() {
    let app = TestApp::new().await;
    let before = app.database.rows();
    app.api.post("/test-suites", json!({})).await.refuses_field("MISSING_REQUIRED_FIELD", "name");
    for (body, field) in [
        (json!({"name": " "}), "name"),
        (json!({"name": "x", "description": 1}), "description"),
        (json!({"name": "x", "scenario_count": -1}), "scenario_count"),
        (json!({"name": "x", "scenario_count": 100_001}), "scenario_count"),
        (json!({"name": "x", "scenarios": []}), "scenarios"),
    ] {
        app.api.post("/test-suites", body).await.refuses_field("INVALID_FIELD_VALUE", field);
    }
    assert_eq!(app.database.rows(), before);
}

#[tokio::test]
async fn a_run_may_be_of_a_test_suite_of_its_organization() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let ours = app.api.post("/test-suites", json!({"name": "Ours"})).await.id();
    let theirs = app.stranger().await.post("/test-suites", json!({"name": "Theirs"})).await.id();
    app.api.post("/runs", json!({"agent_id": agent, "test_suite_id": ours})).await.is(201);
    for wrong in [NOBODY, theirs.as_str(), "nonsense"] {
        let refused = app.api.post("/runs", json!({"agent_id": agent, "test_suite_id": wrong})).await;
        refused.refuses_field("INVALID_FIELD_VALUE", "test_suite_id");
    }
    assert_eq!(app.api.get("/runs").await.is(200)["total"], 1);
}

#[tokio::test]
async fn texts_are_measured_in_characters_and_a_whole_number_has_any_spelling() {
    let app = TestApp::new().await;
    let name = "ü".repeat(200);
    let body = format!(r#"{{"name":"{name}","scenario_count":1.2e1}}"#);
    let created = app.api.call("POST", "/test-suites", body).await.is(201);
    assert_eq!((&created["name"], &created["scenario_count"]), (&json!(name), &json!(12)));
    for wrong in ["12.5", "1e300", "9007199254740993.0", "-12.0"] {
        let body = format!(r#"{{"name":"x","scenario_count":{wrong}}}"#);
        app.api.call("POST", "/test-suites", body).await.refuses_field("INVALID_FIELD_VALUE", "scenario_count");
    }
}
