//! Two organizations beside each other. That the ids of one are nothing to the other is in `matrix`.

use serde_json::json;

use crate::app::{TestApp, URL};

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
