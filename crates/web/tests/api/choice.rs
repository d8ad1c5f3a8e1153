//! Which webhook hears of a run, set up through the API.

use serde_json::{Value, json};

use crate::app::{TestApp, URL};

/// Ends a run of the agent and answers which webhook heard of it.
async fn heard(app: &TestApp, agent: &str) -> Option<String> {
    let run = app.api.run(agent, None).await;
    let sent = app.handoff.sent().len();
    app.api.complete(&run).await;
    let deliveries = app.api.deliveries(&format!("run_id={run}")).await;
    assert_eq!(app.handoff.sent().len() - sent, deliveries.len());
    assert!(deliveries.len() <= 1, "a run is one delivery at most");
    deliveries.first().map(|delivery| delivery["webhook_id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_agents_webhook_overrides_a_disabled_one_mutes_and_a_deleted_one_falls_back() {
    let app = TestApp::new().await;
    let (agent, other) = (app.api.agent("Assistant").await, app.api.agent("Other").await);
    assert_eq!(heard(&app, &agent).await, None, "nobody listens");

    let organizations = app.api.webhook(URL, None).await;
    assert_eq!(heard(&app, &agent).await.as_ref(), Some(&organizations));

    let agents = app.api.webhook("https://agent.example.com", Some(&agent)).await;
    assert_eq!(heard(&app, &agent).await.as_ref(), Some(&agents), "the agent's own overrides");
    assert_eq!(heard(&app, &other).await.as_ref(), Some(&organizations), "and no other agent's");

    let switch = async |webhook: &str, is_enabled: Value| {
        app.api.put(&format!("/webhooks/{webhook}"), json!({"is_enabled": is_enabled})).await.is(200);
    };
    switch(&agents, json!(false)).await;
    assert_eq!(heard(&app, &agent).await, None, "a disabled one mutes the agent");
    assert_eq!(heard(&app, &other).await.as_ref(), Some(&organizations));

    switch(&organizations, json!(false)).await;
    switch(&agents, json!(true)).await;
    assert_eq!(heard(&app, &agent).await.as_ref(), Some(&agents));
    assert_eq!(heard(&app, &other).await, None);

    switch(&organizations, json!(true)).await;
    assert_eq!(app.api.delete(&format!("/webhooks/{agents}")).await.status, 204);
    assert_eq!(heard(&app, &agent).await.as_ref(), Some(&organizations), "a deleted one falls back");

    assert_eq!(app.api.delete(&format!("/webhooks/{organizations}")).await.status, 204);
    assert_eq!(heard(&app, &agent).await, None);
}

#[tokio::test]
async fn a_webhook_that_is_created_disabled_mutes_its_agent() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    app.api.webhook(URL, None).await;
    app.api.post("/webhooks", json!({"url": URL, "agent_id": agent, "is_enabled": false})).await.is(201);
    assert_eq!(heard(&app, &agent).await, None);
}

#[tokio::test]
async fn disabling_a_webhook_cancels_what_it_still_has_to_send() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let webhook = app.api.webhook(URL, None).await;
    app.handoff.fill();
    let delivery = app.api.delivered(&agent).await;
    app.pass(5);
    app.api.put(&format!("/webhooks/{webhook}"), json!({"is_enabled": false})).await.is(200);
    let delivery = app.api.get(&format!("/webhooks/deliveries/{delivery}")).await.is(200);
    assert_eq!((&delivery["status"], &delivery["next_attempt_at"]), (&json!("canceled"), &Value::Null));
    assert_eq!(delivery["completed_at"], "2026-01-30T10:30:05.000Z");
}
