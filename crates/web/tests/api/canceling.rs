//! `/webhooks/deliveries/{id}/cancel`

use jiff::SignedDuration;
use preclinical_core::retry::NextStep;
use preclinical_testkit::world::answered;
use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, URL, names};

#[tokio::test]
async fn a_delivery_that_waits_for_its_next_attempt_is_canceled() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let delivery = app.api.delivered(&agent).await;
    let retry = NextStep::RetryAt(app.world.now() + SignedDuration::from_mins(1));
    let claimed = app.handoff.sent().pop().unwrap();
    app.world.store.record(app.world.record(&claimed, answered(503), retry)).await.unwrap();
    app.pass(5);
    let canceled = app.api.post(&format!("/webhooks/deliveries/{delivery}/cancel"), json!({})).await.is(200);
    assert_eq!((&canceled["status"], &canceled["next_attempt_at"]), (&json!("canceled"), &Value::Null));
    assert_eq!((&canceled["completed_at"], &canceled["http_status"]), (&json!("2026-01-30T10:30:05.000Z"), &json!(503)));
    assert_eq!(names(&canceled).len(), 16);
    assert_eq!(app.api.deliveries("").await, [canceled]);
    app.pass(600);
    assert!(app.world.store.claim_due(app.world.now(), app.world.leases(1)).await.unwrap().is_empty());
    assert_eq!((app.handoff.jobs(), app.handoff.wakes()), (1, 0), "a bulk redelivery may have waited for it");
}

#[tokio::test]
async fn what_a_receiver_takes_after_the_cancellation_is_delivered() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let delivery = app.api.delivered(&agent).await;
    let canceled = app.api.call("POST", &format!("/webhooks/deliveries/{delivery}/cancel"), "").await.is(200);
    assert_eq!((&canceled["status"], &canceled["attempt_count"]), (&json!("canceled"), &json!(1)));
    let claimed = app.handoff.sent().pop().unwrap();
    app.world.store.record(app.world.record(&claimed, answered(200), NextStep::Delivered)).await.unwrap();
    assert_eq!(app.api.deliveries("").await[0]["status"], "delivered");
}

#[tokio::test]
async fn a_delivery_that_has_ended_is_not_canceled() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    for (end, status) in [
        (Some((answered(200), NextStep::Delivered)), "delivered"),
        (Some((answered(500), NextStep::Exhausted)), "failed"),
        (None, "canceled"),
    ] {
        let path = format!("/webhooks/deliveries/{}/cancel", app.api.delivered(&agent).await);
        let claimed = app.handoff.sent().pop().unwrap();
        match end {
            Some((outcome, next)) => app.world.store.record(app.world.record(&claimed, outcome, next)).await.unwrap(),
            None => drop(app.api.post(&path, json!({})).await.is(200)),
        }
        let before = app.database.rows();
        app.api.post(&path, json!({})).await.refuses_state(status);
        assert_eq!(app.database.rows(), before);
    }
}

#[tokio::test]
async fn a_missing_delivery_is_not_canceled() {
    let app = TestApp::new().await;
    let answer = app.api.post(&format!("/webhooks/deliveries/{NOBODY}/cancel"), json!({})).await;
    assert_eq!(answer.refuses(404, "NOT_FOUND"), Value::Null);
    assert_eq!(app.handoff.jobs(), 0);
}
