//! `/runs/{id}/decisions`: who heard of a run, who did not, and why.

use jiff::SignedDuration;
use preclinical_core::{delivery::Claimed, retry::NextStep};
use preclinical_testkit::world::{answered, unreachable};
use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, URL, names};

async fn decisions(app: &TestApp, run: &str) -> Vec<Value> {
    let mut page = app.api.get(&format!("/runs/{run}/decisions")).await.is(200);
    std::mem::take(page["decisions"].as_array_mut().unwrap())
}

/// Completes a run of the agent, and answers it with what was decided.
async fn ended(app: &TestApp, agent: &str) -> (String, Vec<Value>) {
    let run = app.api.run(agent, None).await;
    app.api.complete(&run).await;
    let decisions = decisions(app, &run).await;
    (run, decisions)
}

async fn record(app: &TestApp, claimed: &Claimed, status: u16, next: NextStep) {
    app.world.store.record(app.world.record(claimed, answered(status), next)).await.unwrap();
}

fn outcome(decision: &Value) -> (&str, &str) {
    (decision["outcome"].as_str().unwrap(), decision["reason"].as_str().unwrap())
}

#[tokio::test]
async fn a_run_that_is_not_final_has_no_decisions_yet() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, None).await;
    for name in [run.as_str(), "TR-00001"] {
        let page = app.api.get(&format!("/runs/{name}/decisions")).await.is(200);
        assert_eq!(page, json!({"decisions": [], "total": 0, "limit": 20, "offset": 0}));
    }
}

#[tokio::test]
async fn every_webhook_that_could_have_heard_has_its_decision() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let (_, nobody) = ended(&app, &agent).await;
    let event = nobody[0]["event_id"].clone();
    assert_eq!(
        nobody,
        [json!({
            "event_id": event, "decided_at": "2026-01-30T10:30:00.000Z", "level": null, "webhook_id": null, "url": null,
            "outcome": "no_webhook", "delivery_id": null,
            "reason": "Neither the agent nor the organization had a webhook when the run ended.",
        })]
    );

    let organizations = app.api.webhook(URL, None).await;
    let agents = app.api.webhook("https://agent.example.com/", Some(&agent)).await;
    let (run, both) = ended(&app, &agent).await;
    let delivery = app.api.deliveries(&format!("run_id={run}")).await[0]["id"].clone();
    assert_eq!(
        both[0],
        json!({
            "event_id": both[0]["event_id"], "decided_at": "2026-01-30T10:30:00.000Z", "level": "agent", "webhook_id": agents,
            "url": "https://agent.example.com/", "outcome": "retrying", "delivery_id": delivery,
            "reason": "Attempt 1 is under way.",
        })
    );
    assert_eq!(
        both[1],
        json!({
            "event_id": both[0]["event_id"], "decided_at": "2026-01-30T10:30:00.000Z", "level": "organization",
            "webhook_id": organizations, "url": URL, "outcome": "overridden", "delivery_id": null,
            "reason": "The agent had a webhook of its own, which overrides the organization's even while it is disabled.",
        })
    );
    assert_eq!((both.len(), names(&both[0]).len()), (2, 8));

    app.api.put(&format!("/webhooks/{agents}"), json!({"is_enabled": false})).await.is(200);
    let (_, muted) = ended(&app, &agent).await;
    assert_eq!(outcome(&muted[0]), ("disabled", "The agent's own webhook was disabled when the run ended."));
    assert_eq!((muted[1]["outcome"].as_str(), &muted[0]["delivery_id"]), (Some("overridden"), &Value::Null));

    app.api.delete(&format!("/webhooks/{agents}")).await;
    app.api.put(&format!("/webhooks/{organizations}"), json!({"is_enabled": false})).await.is(200);
    let (_, off) = ended(&app, &agent).await;
    assert_eq!(outcome(&off[0]), ("disabled", "The organization's webhook was disabled when the run ended."));
    assert_eq!(decisions(&app, &run).await[1], both[1], "what was decided stays, whatever becomes of the webhooks");
}

#[tokio::test]
async fn the_outcome_of_a_delivery_follows_it() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    app.handoff.fill();
    let (run, waiting) = ended(&app, &agent).await;
    assert_eq!(outcome(&waiting[0]), ("retrying", "Its first attempt is about to be made."));
    let first = app.world.store.claim_due(app.world.now(), app.world.leases(1)).await.unwrap().remove(0);
    let later = app.world.now() + SignedDuration::from_mins(1);
    record(&app, &first, 503, NextStep::RetryAt(later)).await;
    let now = decisions(&app, &run).await;
    let expected = "Not delivered in 1 attempt so far, the last answered 503; the next one is due at 2026-01-30T10:31:00Z.";
    assert_eq!(outcome(&now[0]), ("retrying", expected));
    app.pass(60);
    let second = app.world.store.claim_due(app.world.now(), app.world.leases(1)).await.unwrap().remove(0);
    record(&app, &second, 200, NextStep::Delivered).await;
    let now = decisions(&app, &run).await;
    assert_eq!(outcome(&now[0]), ("delivered", "The receiver took it after 2 attempts and answered 200."));
    assert_eq!(now[0]["decided_at"], "2026-01-30T10:30:00.000Z");
}

#[tokio::test]
async fn a_delivery_that_came_to_nothing_says_how() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let (failed, _) = ended(&app, &agent).await;
    let claimed = app.handoff.sent().pop().unwrap();
    app.world.store.record(app.world.record(&claimed, unreachable(), NextStep::Exhausted)).await.unwrap();
    let decided = decisions(&app, &failed).await;
    assert_eq!(outcome(&decided[0]), ("failed", "Not delivered in 1 attempt; no more will be made."));

    let (gone, _) = ended(&app, &agent).await;
    record(&app, &app.handoff.sent().pop().unwrap(), 410, NextStep::Gone).await;
    let decided = decisions(&app, &gone).await;
    assert_eq!(outcome(&decided[0]), ("failed", "Not delivered in 1 attempt, the last answered 410; no more will be made."));
    let (_, off) = ended(&app, &agent).await;
    let expected = "The organization's webhook was disabled when the run ended, because its receiver had answered 410 Gone.";
    assert_eq!(outcome(&off[0]), ("disabled", expected));

    app.api.put(&format!("/webhooks/{webhook}"), json!({"is_enabled": true})).await.is(200);
    app.handoff.fill();
    let (canceled, _) = ended(&app, &agent).await;
    app.api.delete(&format!("/webhooks/{webhook}")).await;
    let decided = decisions(&app, &canceled).await;
    let expected = "Canceled, or its webhook disabled or deleted, before it was delivered, after 0 attempts.";
    assert_eq!(outcome(&decided[0]), ("canceled", expected));
    assert_eq!(decided[0]["webhook_id"], webhook.as_str());
}

#[tokio::test]
async fn a_run_that_was_final_twice_shows_both_endings_the_newest_first() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let (run, first) = ended(&app, &agent).await;
    app.database.damage("UPDATE runs SET status = 'running'");
    app.pass(60);
    app.api.webhook(URL, None).await;
    app.api.complete(&run).await;
    let both = decisions(&app, &run).await;
    assert_eq!((both.len(), &both[1]), (2, &first[0]));
    assert_eq!((&both[0]["outcome"], &both[0]["decided_at"]), (&json!("retrying"), &json!("2026-01-30T10:31:00.000Z")));
    assert_ne!(both[0]["event_id"], both[1]["event_id"]);
    let page = app.api.get(&format!("/runs/{run}/decisions?limit=1&offset=1")).await.is(200);
    assert_eq!(page, json!({"decisions": [first[0]], "total": 2, "limit": 1, "offset": 1}));
}

#[tokio::test]
async fn decisions_are_asked_for_by_a_run_that_there_is() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let (run, _) = ended(&app, &agent).await;
    let stranger = app.stranger().await;
    let of_nothing = stranger.get(&format!("/runs/{NOBODY}/decisions")).await;
    of_nothing.refuses(404, "RUN_NOT_FOUND");
    assert_eq!(stranger.get(&format!("/runs/{run}/decisions")).await, of_nothing);
    app.api.get("/runs/nonsense/decisions").await.refuses(404, "RUN_NOT_FOUND");
    let path = format!("/runs/{run}/decisions");
    app.api.get(&format!("{path}?limit=0")).await.refuses_field("INVALID_FIELD_VALUE", "limit");
    app.api.get(&format!("{path}?level=agent")).await.refuses_field("INVALID_FIELD_VALUE", "level");
}
