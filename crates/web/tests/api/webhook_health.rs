//! How webhooks do, and `POST /webhooks/{id}/replay`.

use preclinical_core::{
    health::DEFAULT_PATIENCE,
    id::{DeliveryId, RedeliveryJobId},
    retry::NextStep,
};
use preclinical_testkit::world::answered;
use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, URL, names};

/// A delivery of a new run that ends so, a second later.
async fn ends(app: &TestApp, agent: &str, status: u16, next: NextStep) -> String {
    let id = app.api.delivered(agent).await;
    app.pass(1);
    let claimed = app.handoff.sent().pop().unwrap();
    app.world.store.record(app.world.record(&claimed, answered(status), next)).await.unwrap();
    id
}

/// Failures until the webhook of the agent is disabled; answers the deliveries.
async fn disabled(app: &TestApp, agent: &str) -> Vec<String> {
    let mut failed = Vec::new();
    for _ in 1..DEFAULT_PATIENCE.exhausted {
        failed.push(ends(app, agent, 500, NextStep::Exhausted).await);
    }
    app.world.clock.turn(DEFAULT_PATIENCE.time);
    failed.push(ends(app, agent, 500, NextStep::Exhausted).await);
    failed
}

async fn health(app: &TestApp, path: &str) -> Value {
    app.api.get(path).await.is(200)["health"].clone()
}

#[tokio::test]
async fn the_health_of_a_webhook_is_told_from_its_first_failure_to_its_end() {
    let app = TestApp::new().await;
    let path = format!("/webhooks/{}", app.api.webhook(URL, None).await);
    let agent = app.api.agent("Assistant").await;
    let fine = health(&app, &path).await;
    let expected = json!({
        "status": "healthy", "last_success_at": null, "failing_since": null, "consecutive_failures": 0, "exhausted_deliveries": 0,
        "missed_since": null,
    });
    assert_eq!((&fine, names(&fine)), (&expected, names(&expected)));
    ends(&app, &agent, 200, NextStep::Delivered).await;
    assert_eq!(health(&app, &path).await["last_success_at"], "2026-01-30T10:30:01Z");
    let retry = NextStep::RetryAt(app.world.now() + DEFAULT_PATIENCE.time * 2);
    for (failures, status) in [(1, "healthy"), (2, "healthy"), (3, "failing")] {
        ends(&app, &agent, 503, retry).await;
        let shown = health(&app, &path).await;
        assert_eq!((&shown["status"], &shown["consecutive_failures"]), (&json!(status), &json!(failures)));
        assert_eq!(shown["failing_since"], "2026-01-30T10:30:02Z");
    }
    disabled(&app, &agent).await;
    let webhook = app.api.get(&path).await.is(200);
    assert_eq!((&webhook["is_enabled"], &webhook["disabled_reason"]), (&json!(false), &json!("failing")));
    assert_eq!(
        webhook["health"],
        json!({
            "status": "disabled", "last_success_at": "2026-01-30T10:30:01Z", "failing_since": "2026-01-30T10:30:02Z",
            "consecutive_failures": 13, "exhausted_deliveries": 10, "missed_since": "2026-01-30T10:30:02Z",
        })
    );
    let enabled = app.api.put(&path, json!({"is_enabled": true})).await.is(200);
    assert_eq!((&enabled["disabled_reason"], &enabled["health"]["status"]), (&Value::Null, &json!("healthy")));
    assert_eq!((&enabled["consecutive_failures"], &enabled["health"]["failing_since"]), (&json!(0), &Value::Null));
}

#[tokio::test]
async fn the_organization_hears_of_an_agents_webhook_that_was_disabled() {
    let app = TestApp::new().await;
    let (shared, agent) = (app.api.webhook(URL, None).await, app.api.agent("Nurse").await);
    app.api.webhook("https://own.example.com", Some(&agent)).await;
    ends(&app, &agent, 410, NextStep::Gone).await;
    let told = app.api.deliveries(&format!("webhook_id={shared}")).await;
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["event"], &told[0]["status"]), (&json!("webhook_disabled"), &json!("pending")));
    assert_eq!((&told[0]["agent_id"], &told[0]["run_id"]), (&json!(agent), &Value::Null));
    assert_eq!((&told[0]["test_run_id"], &told[0]["is_test"]), (&Value::Null, &json!(false)));
}

#[tokio::test]
async fn what_was_missed_is_counted_and_replayed_once_the_webhook_is_enabled() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let (path, replay) = (format!("/webhooks/{webhook}"), format!("/webhooks/{webhook}/replay"));
    let agent = app.api.agent("Assistant").await;
    let missed = disabled(&app, &agent).await;
    let since = health(&app, &path).await["missed_since"].clone();
    assert_eq!(app.api.post(&replay, json!({"dry_run": true})).await.is(200), json!({"dry_run": true, "count": 10}));
    let newest = json!({"dry_run": true, "newest_per_agent": true});
    assert_eq!(app.api.post(&replay, newest).await.is(200)["count"], 1);
    let before = app.database.rows();
    let details = app.api.post(&replay, json!({})).await.refuses(400, "INVALID_STATE");
    assert_eq!((&details["current_status"], app.database.rows()), (&json!("webhook_disabled"), before));

    app.api.put(&path, json!({"is_enabled": true})).await.is(200);
    let tag = app.api.get(&path).await.header("etag").unwrap().to_owned();
    let answer = app.api.post(&replay, json!({})).await;
    let job = answer.is(202);
    let id = job["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/api/v1/webhooks/redeliveries/{id}").as_str()));
    let filter = json!({
        "status": null, "webhook_id": webhook, "agent_id": null, "run_id": null, "created_after": null, "created_before": null,
        "missed_since": "2026-01-30T10:30:01.000Z", "newest_per_agent": false,
    });
    assert_eq!((&job["filter"], names(&job["filter"])), (&filter, names(&filter)));
    assert_eq!((&job["status"], &job["total"], app.handoff.jobs()), (&json!("running"), &json!(10), 1));
    assert_eq!(since, "2026-01-30T10:30:01Z");
    let now = app.api.call_with("GET", &path, &[("if-none-match", tag.as_str())], "").await;
    assert_eq!(now.is(200)["health"]["missed_since"], Value::Null, "and the tag is another");

    app.pass(1);
    let ids = (0..8).map(|_| DeliveryId::generate(app.world.now(), &*app.world.chance)).collect();
    app.world.store.advance_redelivery_job(id.parse().unwrap(), ids, app.world.now()).await.unwrap();
    let repeated = app.api.deliveries("status=pending").await;
    let repeated: Vec<_> = repeated.iter().rev().map(|delivery| delivery["redelivery_of"].as_str().unwrap()).collect();
    assert_eq!(repeated, missed[..8], "oldest first");

    let nothing = app.api.post(&replay, json!({})).await.is(202);
    assert_eq!((&nothing["status"], &nothing["total"]), (&json!("completed"), &json!(0)), "it missed nothing any more");
    let again = json!({"since": "2026-01-30T10:30:04Z", "dry_run": true});
    assert_eq!(app.api.post(&replay, again).await.is(200)["count"], 2, "what has no new delivery yet");
}

#[tokio::test]
async fn a_webhook_of_either_level_is_created_with_what_is_to_be_replayed_by_itself() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    for (agent, wish) in [(Value::Null, "all"), (json!(agent), "newest_per_agent")] {
        let body = json!({"url": URL, "agent_id": agent, "replay_on_recovery": wish});
        let created = app.api.post("/webhooks", body).await.is(201);
        assert_eq!(created["replay_on_recovery"], wish);
        let path = format!("/webhooks/{}", created["id"].as_str().unwrap());
        assert_eq!(app.api.get(&path).await.is(200)["replay_on_recovery"], wish);
        let wrong = json!({"replay_on_recovery": "sometimes"});
        let refused = app.api.put(&path, wrong).await;
        refused.refuses_field("INVALID_FIELD_VALUE", "replay_on_recovery");
        assert!(refused.text().contains("must be one of off, all, newest_per_agent"), "{}", refused.text());
        assert_eq!(app.api.put(&path, json!({"replay_on_recovery": "off"})).await.is(200)["replay_on_recovery"], "off");
    }
}

#[tokio::test]
async fn a_replay_that_nobody_ordered_says_so() {
    let app = TestApp::new().await;
    let path = format!("/webhooks/{}", app.api.webhook(URL, None).await);
    app.api.put(&path, json!({"replay_on_recovery": "all"})).await.is(200);
    let agent = app.api.agent("Assistant").await;
    ends(&app, &agent, 500, NextStep::Exhausted).await;
    ends(&app, &agent, 200, NextStep::Delivered).await;
    let id = RedeliveryJobId::generate(app.world.now(), &*app.world.chance);
    app.world.store.replay_recovered(vec![id], app.world.now()).await.unwrap();
    let job = app.api.get(&format!("/webhooks/redeliveries/{id}")).await.is(200);
    assert_eq!(
        (&job["on_recovery"], &job["total"], &job["filter"]["newest_per_agent"]),
        (&json!(true), &json!(1), &json!(false))
    );
    assert_eq!(health(&app, &path).await["missed_since"], Value::Null);
}

#[tokio::test]
async fn a_replay_says_what_is_wrong_with_it() {
    let app = TestApp::new().await;
    let replay = format!("/webhooks/{}/replay", app.api.webhook(URL, None).await);
    for (field, wrong) in
        [("since", json!("yesterday")), ("newest_per_agent", json!("yes")), ("dry_run", json!(1)), ("status", json!("x"))]
    {
        app.api.post(&replay, json!({field: wrong})).await.refuses_field("INVALID_FIELD_VALUE", field);
    }
    app.api.post(&format!("/webhooks/{NOBODY}/replay"), json!({})).await.refuses(404, "NOT_FOUND");
    app.stranger().await.post(&replay, json!({})).await.refuses(404, "NOT_FOUND");
}
