//! Clients that hang up while their request is worked on.
//!
//! The tests run on one thread: after a place is taken, nobody polls the request again before it is dropped.

use serde_json::{Value, json};

use crate::app::{TestApp, URL};

/// Calls, and hangs up as soon as a place in the engine is taken; then waits until all places are back.
async fn hang_up_during(app: &TestApp, path: &str, body: Value) {
    let taken = app.handoff.reservations() + 1;
    let mut call = Box::pin(app.api.post(path, body));
    tokio::select! {
        biased;
        () = app.handoff.reserved(taken) => {}
        answer = &mut call => panic!("answered first: {answer:?}"),
    }
    drop(call);
    app.handoff.idle().await;
}

#[tokio::test]
async fn an_ending_whose_caller_hangs_up_is_written_and_sent() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let result = json!({"scenario_id": "1", "scenario_name": "One", "status": "passed"});
    let calls = [
        ("complete", json!({}), "completed"),
        ("cancel", json!({}), "canceled"),
        ("results", json!({"results": [result]}), "completed"),
    ];
    for (sent, (call, body, status)) in calls.into_iter().enumerate() {
        let run = app.api.run(&agent, Some(1)).await;
        hang_up_during(&app, &format!("/runs/{run}/{call}"), body).await;
        assert_eq!(app.handoff.sent().len(), sent + 1, "{call}");
        assert_eq!(app.api.get(&format!("/runs/{run}")).await.is(200)["status"], status);
        let deliveries = app.api.deliveries(&format!("run_id={run}")).await;
        assert_eq!(deliveries[0]["id"], app.handoff.sent()[sent].delivery_id.to_string());
    }
}

#[tokio::test]
async fn a_repetition_and_a_test_whose_caller_hangs_up_are_sent() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let delivery = app.api.delivered(&agent).await;
    let calls = [format!("/webhooks/deliveries/{delivery}/redeliver"), format!("/webhooks/{webhook}/test")];
    for (sent, path) in calls.iter().enumerate() {
        hang_up_during(&app, path, json!({})).await;
        assert_eq!(app.handoff.sent().len(), sent + 2, "{path}");
        assert_eq!(app.api.deliveries("").await.len(), sent + 2);
    }
}
