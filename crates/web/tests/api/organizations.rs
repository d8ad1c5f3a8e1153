//! Two organizations: what belongs to the other one is missing, to the byte.

use serde_json::json;

use crate::app::{NOBODY, TestApp, URL};

/// Calls with an id in the path, and whose id it is.
const CALLS: [(&str, &str, &str, &str); 19] = [
    ("agent", "GET", "/agents/{id}", ""),
    ("webhook", "GET", "/webhooks/{id}", ""),
    ("webhook", "PUT", "/webhooks/{id}", r#"{"url":"https://evil.example.com","secret":"mine","is_enabled":false}"#),
    ("webhook", "PUT", "/webhooks/{id}", "{}"),
    ("webhook", "PUT", "/webhooks/{id}", r#"{"url":"ftp://evil.example.com"}"#),
    ("webhook", "DELETE", "/webhooks/{id}", ""),
    ("webhook", "POST", "/webhooks/{id}/test", "{}"),
    ("webhook", "GET", "/webhooks/{id}/deliveries", ""),
    ("webhook", "GET", "/webhooks/{id}/deliveries?status=nonsense", ""),
    ("delivery", "GET", "/webhooks/deliveries/{id}", ""),
    ("delivery", "POST", "/webhooks/deliveries/{id}/redeliver", "{}"),
    ("run", "GET", "/runs/{id}", ""),
    ("run", "GET", "/runs/{id}/results", ""),
    ("run", "POST", "/runs/{id}/results", r#"{"results":[{"scenario_id":"1","scenario_name":"1","status":"passed"}]}"#),
    ("run", "POST", "/runs/{id}/results", r#"{"results":[]}"#),
    ("run", "POST", "/runs/{id}/complete", "{}"),
    ("run", "POST", "/runs/{id}/complete", r#"{"passed_count":-1}"#),
    ("run", "POST", "/runs/{id}/cancel", ""),
    ("run", "POST", "/runs/{id}/cancel", "[]"),
];

#[tokio::test]
async fn another_organizations_ids_answer_like_ids_of_nothing() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let webhook = app.api.webhook(URL, None).await;
    let final_run = app.api.run(&agent, None).await;
    app.api.complete(&final_run).await;
    let delivery = app.api.deliveries("").await[0]["id"].as_str().unwrap().to_owned();
    let open_run = app.api.run(&agent, Some(1)).await;
    let stranger = app.stranger().await;
    let (before, sent) = (app.database.rows(), app.handoff.sent().len());
    for (kind, method, path, body) in CALLS {
        let ids = match kind {
            "agent" => vec![&agent],
            "webhook" => vec![&webhook],
            "delivery" => vec![&delivery],
            _ => vec![&open_run, &final_run],
        };
        let of_nothing = stranger.call(method, &path.replace("{id}", NOBODY), body).await;
        assert!(of_nothing.status.is_client_error(), "{of_nothing:?}");
        for id in ids {
            assert_eq!(stranger.call(method, &path.replace("{id}", id), body).await, of_nothing, "{method} {path} {body}");
        }
    }
    for name in ["TR-00001", "TR-00002"] {
        let of_nothing = stranger.get("/runs/TR-00099").await;
        assert_eq!(stranger.get(&format!("/runs/{name}")).await, of_nothing);
        assert_eq!(stranger.post(&format!("/runs/{name}/complete"), json!({})).await, of_nothing);
    }
    app.handoff.idle().await;
    assert_eq!((app.database.rows(), app.handoff.sent().len(), app.handoff.wakes()), (before, sent, 0));
}

#[tokio::test]
async fn another_organizations_agent_is_unknown_in_bodies() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let stranger = app.stranger().await;
    let before = app.database.rows();
    for (path, body) in
        [("/runs", json!({})), ("/webhooks", json!({"url": URL})), ("/webhooks", json!({"url": URL, "is_enabled": false}))]
    {
        let naming = |agent: &str| {
            let mut body = body.clone();
            body["agent_id"] = json!(agent);
            stranger.post(path, body)
        };
        let of_nothing = naming(NOBODY).await;
        of_nothing.refuses_field("AGENT_NOT_FOUND", "agent_id");
        assert_eq!(naming(&agent).await, of_nothing);
    }
    assert_eq!(app.database.rows(), before);
}

#[tokio::test]
async fn lists_show_and_filter_only_ones_own() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let webhook = app.api.webhook(URL, Some(&agent)).await;
    let run = app.api.run(&agent, None).await;
    app.api.complete(&run).await;
    let stranger = app.stranger().await;
    let filters = [
        ("/agents?x", ""),
        ("/runs?x", ""),
        ("/webhooks?x", ""),
        ("/webhooks/deliveries?x", ""),
        ("/runs?agent_id=", agent.as_str()),
        ("/webhooks?agent_id=", agent.as_str()),
        ("/webhooks/deliveries?agent_id=", agent.as_str()),
        ("/webhooks/deliveries?webhook_id=", webhook.as_str()),
        ("/webhooks/deliveries?run_id=", run.as_str()),
    ];
    for (list, id) in filters {
        let list = list.trim_end_matches("?x");
        let found = stranger.get(&format!("{list}{id}")).await;
        let page = found.is(200);
        let rows = page.as_object().unwrap().values().next().unwrap();
        assert_eq!(rows, &json!([]), "{list}");
        if !id.is_empty() {
            assert_eq!(found, stranger.get(&format!("{list}{NOBODY}")).await);
        }
    }
}

#[tokio::test]
async fn a_number_names_ones_own_run() {
    let app = TestApp::new().await;
    let stranger = app.stranger().await;
    let (ours, theirs) = (app.api.agent("Ours").await, stranger.agent("Theirs").await);
    let (our_run, their_run) = (app.api.run(&ours, None).await, stranger.run(&theirs, None).await);
    assert_eq!(stranger.post("/runs/TR-00001/cancel", json!({})).await.is(200)["id"], their_run.as_str());
    let still = app.api.get("/runs/TR-00001").await.is(200);
    assert_eq!((&still["id"], &still["status"]), (&json!(our_run), &json!("running")));
}

#[tokio::test]
async fn another_organizations_webhook_hears_nothing() {
    let app = TestApp::new().await;
    let stranger = app.stranger().await;
    stranger.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, None).await;
    app.api.complete(&run).await;
    assert_eq!((app.api.deliveries("").await.len(), stranger.deliveries("").await.len()), (0, 0));
    assert_eq!(app.handoff.sent().len(), 0);
}
