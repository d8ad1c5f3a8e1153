//! `/webhooks/redeliveries`: many deliveries repeated by one order.

use preclinical_core::{id::DeliveryId, retry::NextStep};
use preclinical_testkit::world::answered;
use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, URL, names};

/// Deliveries of new runs that failed a second ago.
async fn failed(app: &TestApp, agent: &str, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(app.api.delivered(agent).await);
        let claimed = app.handoff.sent().pop().unwrap();
        app.world.store.record(app.world.record(&claimed, answered(500), NextStep::Exhausted)).await.unwrap();
        app.pass(1);
    }
    ids
}

/// Takes a job a step further, as the engine does.
async fn step(app: &TestApp, job: &str) {
    let ids = (0..8).map(|_| DeliveryId::generate(app.world.now(), &*app.world.chance)).collect();
    app.world.store.advance_redelivery_job(job.parse().unwrap(), ids, app.world.now()).await.unwrap();
}

async fn job(app: &TestApp, id: &str) -> Value {
    app.api.get(&format!("/webhooks/redeliveries/{id}")).await.is(200)
}

#[tokio::test]
async fn a_dry_run_counts_and_writes_nothing() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    failed(&app, &agent, 3).await;
    let before = app.database.rows();
    let counted = app.api.post("/webhooks/redeliveries", json!({"dry_run": true})).await;
    assert_eq!(counted.is(200), json!({"dry_run": true, "count": 3}));
    let none = json!({"dry_run": true, "status": "delivered", "webhook_id": NOBODY});
    assert_eq!(app.api.post("/webhooks/redeliveries", none).await.is(200), json!({"dry_run": true, "count": 0}));
    assert_eq!((app.database.rows(), app.handoff.jobs()), (before, 0));
}

#[tokio::test]
async fn a_job_is_accepted_and_shows_how_far_it_got() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let originals = failed(&app, &agent, 3).await;
    let answer = app.api.post("/webhooks/redeliveries", json!({"webhook_id": webhook})).await;
    let accepted = answer.is(202);
    let id = accepted["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/api/v1/webhooks/redeliveries/{id}").as_str()));
    let filter = json!({
        "status": "failed", "webhook_id": webhook, "agent_id": null, "run_id": null, "created_after": null,
        "created_before": null, "missed_since": null, "newest_per_agent": false,
    });
    let expected = json!({
        "id": id, "status": "running", "filter": filter, "total": 3, "enqueued": 0, "skipped": 0,
        "skipped_reasons": {"webhook_deleted": 0, "webhook_disabled": 0}, "created_at": "2026-01-30T10:30:03.000Z",
        "completed_at": null, "on_recovery": false,
    });
    assert_eq!((&accepted, names(&accepted)), (&expected, names(&expected)));
    assert_eq!((app.handoff.jobs(), job(&app, id).await), (1, accepted.clone()));

    app.pass(1);
    step(&app, id).await;
    let done = job(&app, id).await;
    assert_eq!((&done["status"], &done["total"], &done["enqueued"]), (&json!("completed"), &json!(3), &json!(3)));
    assert_eq!(done["completed_at"], "2026-01-30T10:30:04.000Z");
    let repeated = app.api.deliveries("status=pending").await;
    let repeated: Vec<_> = repeated.iter().rev().map(|delivery| delivery["redelivery_of"].as_str().unwrap()).collect();
    assert_eq!(repeated, originals);
}

#[tokio::test]
async fn an_order_without_a_body_repeats_all_that_failed() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    failed(&app, &agent, 2).await;
    let accepted = app.api.call("POST", "/webhooks/redeliveries", "").await.is(202);
    assert_eq!((&accepted["total"], &accepted["filter"]["status"]), (&json!(2), &json!("failed")));
}

#[tokio::test]
async fn what_is_skipped_is_told_by_its_reason() {
    let app = TestApp::new().await;
    let mut webhooks = Vec::new();
    for name in ["deleted", "disabled"] {
        let agent = app.api.agent(name).await;
        webhooks.push(app.api.webhook(URL, Some(&agent)).await);
        failed(&app, &agent, 1).await;
    }
    let accepted = app.api.post("/webhooks/redeliveries", json!({})).await.is(202);
    app.api.delete(&format!("/webhooks/{}", webhooks[0])).await;
    app.api.put(&format!("/webhooks/{}", webhooks[1]), json!({"is_enabled": false})).await.is(200);
    let id = accepted["id"].as_str().unwrap();
    step(&app, id).await;
    let done = job(&app, id).await;
    assert_eq!((&done["status"], &done["enqueued"], &done["skipped"]), (&json!("completed"), &json!(0), &json!(2)));
    assert_eq!(done["skipped_reasons"], json!({"webhook_deleted": 1, "webhook_disabled": 1}));
}

#[tokio::test]
async fn a_running_job_is_canceled_once() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    failed(&app, &agent, 1).await;
    let accepted = app.api.post("/webhooks/redeliveries", json!({})).await.is(202);
    let id = accepted["id"].as_str().unwrap();
    app.pass(1);
    let canceled = app.api.post(&format!("/webhooks/redeliveries/{id}/cancel"), json!({})).await.is(200);
    assert_eq!((&canceled["status"], &canceled["completed_at"]), (&json!("canceled"), &json!("2026-01-30T10:30:02.000Z")));
    assert_eq!(job(&app, id).await, canceled);
    step(&app, id).await;
    let before = app.database.rows();
    app.api.post(&format!("/webhooks/redeliveries/{id}/cancel"), json!({})).await.refuses_state("canceled");
    let nothing = app.api.post("/webhooks/redeliveries", json!({"webhook_id": NOBODY})).await.is(202);
    assert_eq!((&nothing["status"], &nothing["total"]), (&json!("completed"), &json!(0)));
    let path = format!("/webhooks/redeliveries/{}/cancel", nothing["id"].as_str().unwrap());
    app.api.post(&path, json!({})).await.refuses_state("completed");
    assert_eq!(app.database.rows().len(), before.len() + 1, "the job of nothing");
    assert_eq!(app.api.deliveries("status=pending").await.len(), 0);
}

#[tokio::test]
async fn jobs_are_listed_newest_first() {
    let app = TestApp::new().await;
    let mut expected = Vec::new();
    for status in ["failed", "canceled", "delivered"] {
        expected.insert(0, app.api.post("/webhooks/redeliveries", json!({"status": status})).await.is(202));
        app.pass(1);
    }
    let page = app.api.get("/webhooks/redeliveries").await.is(200);
    assert_eq!(page, json!({"redeliveries": expected, "total": 3, "limit": 20, "offset": 0}));
    let page = app.api.get("/webhooks/redeliveries?limit=1&offset=1").await.is(200);
    assert_eq!(page, json!({"redeliveries": [expected[1]], "total": 3, "limit": 1, "offset": 1}));
    app.api.get("/webhooks/redeliveries?limit=0").await.refuses_field("INVALID_FIELD_VALUE", "limit");
    app.api.get("/webhooks/redeliveries?status=running").await.refuses_field("INVALID_FIELD_VALUE", "status");
}

#[tokio::test]
async fn an_order_that_is_not_understood_changes_nothing() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    failed(&app, &agent, 1).await;
    let before = app.database.rows();
    for (field, wrong) in [
        ("status", json!("pending")),
        ("status", json!("Failed")),
        ("status", json!(["failed"])),
        ("webhook_id", json!("1")),
        ("agent_id", json!(7)),
        ("run_id", json!("TR-00001")),
        ("created_after", json!("yesterday")),
        ("created_before", json!(1_769_769_000)),
        ("dry_run", json!("true")),
        ("limit", json!(10)),
        ("q", json!(agent)),
    ] {
        let answer = app.api.post("/webhooks/redeliveries", json!({field: wrong})).await;
        answer.refuses_field("INVALID_FIELD_VALUE", field);
    }
    app.api.call("POST", "/webhooks/redeliveries", "[]").await.refuses(400, "INVALID_JSON");
    let cancel = app.api.post(&format!("/webhooks/redeliveries/{NOBODY}/cancel"), json!({"force": true})).await;
    cancel.refuses_field("INVALID_FIELD_VALUE", "force");
    assert_eq!((app.database.rows(), app.handoff.jobs()), (before, 0));
}

#[tokio::test]
async fn another_organization_repeats_sees_and_cancels_nothing_of_ours() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    failed(&app, &agent, 1).await;
    let ours = app.api.post("/webhooks/redeliveries", json!({})).await.is(202);
    let stranger = app.stranger().await;
    for filter in [json!({}), json!({"webhook_id": webhook}), json!({"agent_id": agent})] {
        let mut dry = filter.clone();
        dry["dry_run"] = json!(true);
        assert_eq!(stranger.post("/webhooks/redeliveries", dry).await.is(200)["count"], 0);
        assert_eq!(stranger.post("/webhooks/redeliveries", filter).await.is(202)["total"], 0);
    }
    assert_eq!(stranger.get("/webhooks/redeliveries").await.is(200)["total"], 3);
    for (method, suffix) in [("GET", ""), ("POST", "/cancel")] {
        let of_nothing = stranger.call(method, &format!("/webhooks/redeliveries/{NOBODY}{suffix}"), "").await;
        of_nothing.refuses(404, "NOT_FOUND");
        let id = ours["id"].as_str().unwrap();
        assert_eq!(stranger.call(method, &format!("/webhooks/redeliveries/{id}{suffix}"), "").await, of_nothing);
        app.api.call(method, &format!("/webhooks/redeliveries/nonsense{suffix}"), "").await.refuses(404, "NOT_FOUND");
    }
    assert_eq!(job(&app, ours["id"].as_str().unwrap()).await, ours);
}
