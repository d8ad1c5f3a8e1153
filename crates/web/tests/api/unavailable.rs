//! A store that fails or holds what nobody wrote: the caller learns whether to try again, and nothing of the inside.

use serde_json::json;

use crate::app::{Answer, Client, NOBODY, TestApp, URL};

/// Calls everything that there is.
async fn call_everything(api: &Client, [agent, webhook, delivery, run]: [&str; 4]) -> Vec<Answer> {
    let result = json!({"scenario_id": "1", "scenario_name": "One", "status": "passed"});
    vec![
        api.get("/agents").await,
        api.post("/agents", json!({"provider": "vapi", "name": "Other", "config": {}})).await,
        api.get(&format!("/agents/{agent}")).await,
        api.get("/webhooks").await,
        api.post("/webhooks", json!({"url": URL, "agent_id": agent})).await,
        api.get(&format!("/webhooks/{webhook}")).await,
        api.put(&format!("/webhooks/{webhook}"), json!({"is_enabled": false})).await,
        api.delete(&format!("/webhooks/{webhook}")).await,
        api.post(&format!("/webhooks/{webhook}/test"), json!({})).await,
        api.get(&format!("/webhooks/{webhook}/deliveries")).await,
        api.get("/webhooks/deliveries").await,
        api.get(&format!("/webhooks/deliveries/{delivery}")).await,
        api.post(&format!("/webhooks/deliveries/{delivery}/redeliver"), json!({})).await,
        api.post(&format!("/webhooks/deliveries/{delivery}/cancel"), json!({})).await,
        api.get("/webhooks/redeliveries").await,
        api.post("/webhooks/redeliveries", json!({})).await,
        api.post("/webhooks/redeliveries", json!({"dry_run": true})).await,
        api.get(&format!("/webhooks/redeliveries/{NOBODY}")).await,
        api.post(&format!("/webhooks/redeliveries/{NOBODY}/cancel"), json!({})).await,
        api.get(&format!("/agents/{agent}/effective-webhook")).await,
        api.get(&format!("/runs/{run}/decisions")).await,
        api.get("/runs").await,
        api.post("/runs", json!({"agent_id": agent})).await,
        api.get(&format!("/runs/{run}")).await,
        api.get(&format!("/runs/{run}/results")).await,
        api.post(&format!("/runs/{run}/results"), json!({"results": [result]})).await,
        api.post(&format!("/runs/{run}/complete"), json!({})).await,
        api.post(&format!("/runs/{run}/cancel"), json!({})).await,
    ]
}

fn assert_unavailable(answer: &Answer) {
    assert!(answer.refuses(503, "UNAVAILABLE").is_null());
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn while_the_store_fails_every_call_says_try_again_and_changes_nothing() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let webhook = app.api.webhook(URL, None).await;
    let delivery = app.api.delivered(&agent).await;
    let run = app.api.run(&agent, Some(1)).await;
    let (before, sent) = (app.database.rows(), app.handoff.sent().len());
    app.database.hide(|table| table != "api_keys");
    let answers = call_everything(&app.api, [&agent, &webhook, &delivery, &run]).await;
    assert_eq!(answers.len(), 28);
    answers.iter().for_each(assert_unavailable);
    app.database.restore();
    app.handoff.idle().await;
    assert_eq!((app.database.rows(), app.handoff.sent().len(), app.handoff.wakes()), (before, sent, 0));
    app.api.complete(&run).await;
}

#[tokio::test]
async fn a_write_that_fails_half_way_leaves_nothing_behind() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let webhook = app.api.webhook(URL, None).await;
    let delivery = app.api.delivered(&agent).await;
    let run = app.api.run(&agent, Some(1)).await;
    let (before, sent) = (app.database.rows(), app.handoff.sent().len());
    let result = json!({"scenario_id": "1", "scenario_name": "One", "status": "passed"});
    let of_run = [
        (format!("/runs/{run}/results"), json!({"results": [result]})),
        (format!("/runs/{run}/complete"), json!({})),
        (format!("/runs/{run}/cancel"), json!({})),
    ];
    let others = [
        (format!("/webhooks/{webhook}/test"), json!({})),
        (format!("/webhooks/deliveries/{delivery}/redeliver"), json!({})),
    ];
    // What is written last, and what is written for several calls at once after that.
    for (hidden, calls) in [("deliveries", [&of_run[..], &others[..]].concat()), ("run_counts", of_run.to_vec())] {
        app.database.hide(|table| table == hidden);
        for (path, body) in calls {
            assert_unavailable(&app.api.post(&path, body).await);
        }
        app.database.restore();
        app.handoff.idle().await;
        let after = (app.database.rows(), app.handoff.sent().len(), app.handoff.wakes());
        assert_eq!(after, (before.clone(), sent, 0), "{hidden}");
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_looked_up_is_not_taken_for_an_unknown_one() {
    let app = TestApp::new().await;
    app.database.hide(|table| table == "api_keys");
    for answer in call_everything(&app.api, [NOBODY; 4]).await {
        assert_unavailable(&answer);
    }
    let unknown = format!("Bearer sk_live_{}", "a".repeat(40));
    assert_unavailable(&app.presenting(Some(&unknown)).get("/runs").await);
    app.presenting(None).get("/runs").await.refuses(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_row_that_nobody_wrote_is_an_error_without_internals() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    app.api.webhook(URL, None).await;
    let delivery = app.api.delivered(&agent).await;
    let result = json!({"scenario_id": "1", "scenario_name": "One", "status": "passed"});
    let run = app.api.run(&agent, None).await;
    app.api.post(&format!("/runs/{run}/results"), json!({"results": [result]})).await.is(200);
    for (sql, paths) in [
        ("UPDATE scenario_results SET content = x'7b'", vec![format!("/runs/{run}/results")]),
        ("UPDATE agents SET provider = 'hidden_'", vec!["/agents".to_owned(), format!("/agents/{agent}")]),
        (
            "UPDATE deliveries SET kind = 'hidden_'",
            vec!["/webhooks/deliveries".to_owned(), format!("/webhooks/deliveries/{delivery}")],
        ),
        ("UPDATE runs SET started_at = 9223372036854775807", vec!["/runs".to_owned(), format!("/runs/{run}")]),
    ] {
        app.database.damage(sql);
        for path in paths {
            let error = app.api.get(&path).await.is(500);
            assert_eq!(error, json!({"error": "something went wrong on the server", "code": "INTERNAL_ERROR"}), "{path}");
        }
    }
}
