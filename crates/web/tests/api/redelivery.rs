//! `/webhooks/deliveries/{id}/redeliver`

use preclinical_core::retry::NextStep;
use preclinical_testkit::world::answered;
use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, URL, names};

#[tokio::test]
async fn a_delivery_in_any_state_is_repeated_with_the_same_content() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    for next in [None, Some((answered(200), NextStep::Delivered)), Some((answered(500), NextStep::Exhausted))] {
        let old = app.api.delivered(&agent).await;
        let first = app.handoff.sent().pop().unwrap();
        if let Some((outcome, next)) = next {
            app.world.store.record(app.world.record(&first, outcome, next)).await.unwrap();
        }
        let before = app.api.get(&format!("/webhooks/deliveries/{old}")).await;
        app.pass(600);
        let answer = app.api.post(&format!("/webhooks/deliveries/{old}/redeliver"), json!({})).await;
        let new = answer.is(202);
        let id = new["id"].as_str().unwrap();
        assert_eq!(answer.header("location"), Some(format!("/api/v1/webhooks/deliveries/{id}").as_str()));
        assert_eq!(new, app.api.deliveries("").await[0]);
        assert_eq!((&new["redelivery_of"], &new["webhook_id"]), (&json!(old), &json!(webhook)));
        assert_eq!((&new["status"], &new["attempt_count"], &new["is_test"]), (&json!("pending"), &json!(1), &json!(false)));
        assert_eq!(new["created_at"], format!("{:.3}", app.world.now()));
        assert_eq!(names(&new).len(), 16);
        let second = app.handoff.sent().pop().unwrap();
        assert_eq!(second.delivery_id.to_string(), id);
        assert_ne!(second.delivery_id, first.delivery_id);
        assert_eq!((second.content, second.attempt), (first.content, 1));
        assert_eq!(app.api.get(&format!("/webhooks/deliveries/{old}")).await, before, "the old one stays as it is");
    }
    assert_eq!(app.handoff.wakes(), 0);
}

#[tokio::test]
async fn a_repetition_goes_where_the_webhook_points_now() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let old = app.api.delivered(&agent).await;
    app.api.put(&format!("/webhooks/{webhook}"), json!({"url": "https://new.example.com/"})).await.is(200);
    let new = app.api.call("POST", &format!("/webhooks/deliveries/{old}/redeliver"), "").await.is(202);
    assert_eq!(new["url"], "https://new.example.com/");
    assert_eq!(app.api.get(&format!("/webhooks/deliveries/{old}")).await.is(200)["url"], URL);
}

#[tokio::test]
async fn without_a_free_place_a_repetition_waits_and_the_engine_is_woken() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let old = app.api.delivered(&agent).await;
    app.handoff.fill();
    let new = app.api.post(&format!("/webhooks/deliveries/{old}/redeliver"), json!({})).await.is(202);
    assert_eq!((&new["status"], &new["attempt_count"]), (&json!("pending"), &json!(0)));
    assert_eq!(new["next_attempt_at"], "2026-01-30T10:30:00.000Z");
    assert_eq!((app.handoff.wakes(), app.handoff.sent().len()), (1, 1));
}

#[tokio::test]
async fn what_cannot_be_repeated_says_why() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let old = app.api.delivered(&agent).await;
    let refused = async |delivery: &str, current: &str| {
        let (before, sent) = (app.database.rows(), app.handoff.sent().len());
        app.api.post(&format!("/webhooks/deliveries/{delivery}/redeliver"), json!({})).await.refuses_state(current);
        app.handoff.idle().await;
        assert_eq!((app.database.rows(), app.handoff.sent().len(), app.handoff.wakes()), (before, sent, 0));
    };
    app.api.put(&format!("/webhooks/{webhook}"), json!({"is_enabled": false})).await.is(200);
    refused(&old, "webhook_disabled").await;
    app.api.delete(&format!("/webhooks/{webhook}")).await;
    refused(&old, "webhook_deleted").await;
}

#[tokio::test]
async fn a_test_is_repeated_as_a_test_also_while_its_webhook_is_disabled() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    app.api.post(&format!("/webhooks/{webhook}/test"), json!({})).await.is(200);
    let first = app.handoff.sent().pop().unwrap();
    let old = app.api.deliveries("").await[0]["id"].as_str().unwrap().to_owned();
    app.api.put(&format!("/webhooks/{webhook}"), json!({"is_enabled": false})).await.is(200);
    app.pass(1);
    let new = app.api.post(&format!("/webhooks/deliveries/{old}/redeliver"), json!({})).await.is(202);
    assert_eq!((&new["event"], &new["is_test"], &new["attempt_count"]), (&json!("test"), &json!(true), &json!(1)));
    assert_eq!((&new["redelivery_of"], &new["run_id"], &new["webhook_id"]), (&json!(old), &Value::Null, &json!(webhook)));
    let second = app.handoff.sent().pop().unwrap();
    assert_eq!((second.event, second.content), (first.event, first.content));
    app.api.delete(&format!("/webhooks/{webhook}")).await;
    let refused = app.api.post(&format!("/webhooks/deliveries/{old}/redeliver"), json!({})).await;
    refused.refuses_state("webhook_deleted");
}

#[tokio::test]
async fn a_missing_delivery_is_not_repeated() {
    let app = TestApp::new().await;
    let answer = app.api.post(&format!("/webhooks/deliveries/{NOBODY}/redeliver"), json!({})).await;
    assert_eq!(answer.refuses(404, "NOT_FOUND"), Value::Null);
    app.handoff.idle().await;
}
