//! `/agents/{id}/effective-webhook`: which webhook is in force, and why.

use preclinical_core::retry::NextStep;
use preclinical_testkit::world::answered;
use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, URL, names};

async fn effective(app: &TestApp, agent: &str) -> Value {
    let answer = app.api.get(&format!("/agents/{agent}/effective-webhook")).await.is(200);
    assert_eq!(names(&answer), ["webhook", "level", "muted", "reason"]);
    answer
}

/// The webhook's id, the level, whether it mutes, and the reason.
fn told(answer: &Value) -> (Option<&str>, Option<&str>, bool, &str) {
    let reason = answer["reason"].as_str().unwrap();
    (answer["webhook"]["id"].as_str(), answer["level"].as_str(), answer["muted"].as_bool().unwrap(), reason)
}

#[tokio::test]
async fn every_case_is_told_apart() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let none = json!({
        "webhook": null, "level": null, "muted": false,
        "reason": "Neither the agent nor the organization has a webhook.",
    });
    assert_eq!(effective(&app, &agent).await, none);

    let organizations = app.api.webhook(URL, None).await;
    let inherits = effective(&app, &agent).await;
    let reason = "The agent has no webhook of its own, so the organization's is in force.";
    assert_eq!(told(&inherits), (Some(organizations.as_str()), Some("organization"), false, reason));
    assert_eq!(inherits["webhook"], app.api.get(&format!("/webhooks/{organizations}")).await.is(200));

    let switch = async |webhook: &str, on: bool| {
        app.api.put(&format!("/webhooks/{webhook}"), json!({"is_enabled": on})).await.is(200);
    };
    switch(&organizations, false).await;
    let reason = "The agent has no webhook of its own, and the organization's is disabled.";
    let off = effective(&app, &agent).await;
    assert_eq!(told(&off), (Some(organizations.as_str()), Some("organization"), true, reason));

    let agents = app.api.webhook("https://agent.example.com", Some(&agent)).await;
    let overrides = effective(&app, &agent).await;
    let reason = "The agent has a webhook of its own, which overrides the organization's.";
    assert_eq!(told(&overrides), (Some(agents.as_str()), Some("agent"), false, reason));

    switch(&organizations, true).await;
    switch(&agents, false).await;
    let muted = effective(&app, &agent).await;
    let reason =
        "The agent's own webhook is disabled, and mutes this agent. To fall back to the organization's webhook, delete it.";
    assert_eq!(told(&muted), (Some(agents.as_str()), Some("agent"), true, reason));
    assert_eq!(muted["webhook"]["is_enabled"], false);

    app.api.delete(&format!("/webhooks/{agents}")).await;
    assert_eq!(effective(&app, &agent).await["webhook"]["id"], organizations.as_str());
}

#[tokio::test]
async fn a_webhook_that_we_disabled_says_what_for() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let gone = async |webhook: &str| {
        app.api.delivered(&agent).await;
        let claimed = app.handoff.sent().pop().unwrap();
        app.world.store.record(app.world.record(&claimed, answered(410), NextStep::Gone)).await.unwrap();
        let answer = effective(&app, &agent).await;
        assert_eq!((answer["webhook"]["id"].as_str(), &answer["muted"]), (Some(webhook), &json!(true)));
        assert!(answer["reason"].as_str().unwrap().contains("answered 410 Gone"), "{answer}");
    };
    let organizations = app.api.webhook(URL, None).await;
    gone(&organizations).await;
    let agents = app.api.webhook("https://agent.example.com", Some(&agent)).await;
    gone(&agents).await;
}

#[tokio::test]
async fn an_agent_that_is_not_there_has_none_in_force() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let stranger = app.stranger().await;
    stranger.webhook(URL, None).await;
    let of_nothing = stranger.get(&format!("/agents/{NOBODY}/effective-webhook")).await;
    of_nothing.refuses(404, "AGENT_NOT_FOUND");
    assert_eq!(stranger.get(&format!("/agents/{agent}/effective-webhook")).await, of_nothing);
    assert_eq!(app.api.delete(&format!("/agents/{agent}")).await.status, 204);
    app.api.get(&format!("/agents/{agent}/effective-webhook")).await.refuses(404, "AGENT_NOT_FOUND");
    app.api.get("/agents/nonsense/effective-webhook").await.refuses(404, "AGENT_NOT_FOUND");
}
