//! `PUT`, `PATCH` and `DELETE` of `/agents/{id}`

use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, URL};

#[tokio::test]
async fn only_the_given_fields_change() {
    let app = TestApp::new().await;
    let id = app.api.agent("Assistant").await;
    let path = format!("/agents/{id}");
    let before = app.api.get(&path).await.is(200);
    app.pass(1);
    for (method, change) in [
        ("PUT", json!({"name": "Renamed"})),
        ("PATCH", json!({"description": "Answers calls."})),
        ("PUT", json!({"provider": "vapi", "config": {"api_key": "canary-of-config"}})),
        ("PATCH", json!({"is_active": false})),
        ("PUT", json!({"description": null})),
        ("PATCH", json!({})),
    ] {
        let mut expected = app.api.get(&path).await.is(200);
        for (name, value) in change.as_object().unwrap().iter().filter(|(name, _)| *name != "config") {
            expected[name] = value.clone();
        }
        expected["updated_at"] = "2026-01-30T10:30:01Z".into();
        assert_eq!(app.api.call(method, &path, change.to_string()).await.is(200), expected);
        assert_eq!(app.api.get(&path).await.is(200), expected);
        assert_eq!(expected["created_at"], before["created_at"]);
    }
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let app = TestApp::new().await;
    let id = app.api.agent("Assistant").await;
    app.api.agent("Other").await;
    let path = format!("/agents/{id}");
    let stranger = app.stranger().await;
    let before = app.database.rows();
    for method in ["PUT", "PATCH"] {
        for (body, field) in [
            (json!({"name": ""}), "name"),
            (json!({"name": 1}), "name"),
            (json!({"provider": "skype"}), "provider"),
            (json!({"config": []}), "config"),
            (json!({"is_active": "yes"}), "is_active"),
            (json!({"description": "x".repeat(2001)}), "description"),
            (json!({"name": "fine", "id": NOBODY}), "id"),
        ] {
            app.api.call(method, &path, body.to_string()).await.refuses_field("INVALID_FIELD_VALUE", field);
        }
        app.api.call(method, &path, json!({"name": "Other"}).to_string()).await.refuses(409, "ALREADY_EXISTS");
        for missing in [NOBODY, "nonsense"] {
            app.api.call(method, &format!("/agents/{missing}"), "{}").await.refuses(404, "AGENT_NOT_FOUND");
        }
        stranger.call(method, &path, r#"{"name":"theirs"}"#).await.refuses(404, "AGENT_NOT_FOUND");
    }
    assert_eq!(app.database.rows(), before);
}

#[tokio::test]
async fn a_deleted_agent_is_gone_with_its_webhook_and_its_runs_stay() {
    let app = TestApp::new().await;
    let id = app.api.agent("Assistant").await;
    let webhook = app.api.webhook(URL, Some(&id)).await;
    let (ended, open) = (app.api.run(&id, None).await, app.api.run(&id, None).await);
    app.api.complete(&ended).await;
    app.stranger().await.delete(&format!("/agents/{id}")).await.refuses(404, "AGENT_NOT_FOUND");

    let deleted = app.api.delete(&format!("/agents/{id}")).await;
    assert_eq!((deleted.status.as_u16(), deleted.text()), (204, ""));
    app.api.delete(&format!("/agents/{id}")).await.refuses(404, "AGENT_NOT_FOUND");
    app.api.get(&format!("/agents/{id}")).await.refuses(404, "AGENT_NOT_FOUND");
    app.api.get(&format!("/webhooks/{webhook}")).await.refuses(404, "NOT_FOUND");
    assert_eq!(app.api.get("/agents").await.is(200)["total"], 0);
    let new = json!({"agent_id": id});
    assert_eq!(app.api.post("/runs", new).await.refuses(400, "AGENT_NOT_FOUND"), json!({"field": "agent_id"}));

    assert_eq!(app.api.get(&format!("/runs/{ended}")).await.is(200)["agent_name"], "Assistant");
    assert_eq!(app.api.complete(&open).await["status"], "completed");
    assert_eq!(app.api.deliveries(&format!("run_id={open}")).await, Vec::<Value>::new());
    assert_eq!(app.api.deliveries(&format!("run_id={ended}")).await.len(), 1, "the history stays");
    app.api.agent("Assistant").await;
}
