//! `/webhooks/deliveries`: what the history shows.

use std::time::Duration;

use preclinical_core::{
    attempt::{AttemptError, ErrorKind, Message, Outcome},
    delivery::Claimed,
    port::AttemptRecord,
    retry::NextStep,
    timing::Timing,
};
use preclinical_testkit::world::{answered, message, unreachable};
use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, URL, names};

const FIELDS: [&str; 16] = [
    "id",
    "event",
    "status",
    "webhook_id",
    "agent_id",
    "run_id",
    "test_run_id",
    "url",
    "attempt_count",
    "http_status",
    "duration_ms",
    "next_attempt_at",
    "is_test",
    "redelivery_of",
    "created_at",
    "completed_at",
];

fn no_timing() -> Value {
    json!({"resolve_ms": null, "connect_ms": null, "tls_ms": null, "first_byte_ms": null})
}

async fn record(app: &TestApp, claimed: &Claimed, outcome: Outcome, next: NextStep, messages: [Option<Message>; 2]) {
    let [request, response] = messages;
    let record = app.world.record(claimed, outcome, next);
    let record = AttemptRecord { request, response, ..record };
    app.world.store.record(record).await.unwrap();
}

#[tokio::test]
async fn a_delivery_under_way_is_pending_with_one_attempt() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let delivery = app.api.delivered(&agent).await;
    let run = app.api.get("/runs/TR-00001").await.is(200);
    let expected = json!({
        "id": delivery, "event": "test_run_completed", "status": "pending", "webhook_id": webhook, "agent_id": agent,
        "run_id": run["id"], "test_run_id": "TR-00001", "url": URL, "attempt_count": 1, "http_status": null, "duration_ms": null,
        "next_attempt_at": null, "is_test": false, "redelivery_of": null, "created_at": "2026-01-30T10:30:00.000Z",
        "completed_at": null,
    });
    let page = app.api.get("/webhooks/deliveries").await.is(200);
    assert_eq!(page, json!({"deliveries": [expected], "next_cursor": null}));
    assert_eq!((names(&page), names(&page["deliveries"][0])), (vec!["deliveries", "next_cursor"], FIELDS.to_vec()));
    let detail = app.api.get(&format!("/webhooks/deliveries/{delivery}")).await.is(200);
    assert_eq!(names(&detail)[..16], FIELDS);
    assert_eq!(names(&detail)[16..], ["attempts"]);
    let attempt = json!({
        "number": 1, "started_at": "2026-01-30T10:30:00.000Z", "duration_ms": null, "timing": no_timing(), "http_status": null,
        "error": null, "request": null, "response": null,
    });
    assert_eq!(detail["attempts"], json!([attempt]));
    assert_eq!(
        names(&detail["attempts"][0]),
        ["number", "started_at", "duration_ms", "timing", "http_status", "error", "request", "response"]
    );
}

#[tokio::test]
async fn attempts_are_shown_down_to_the_bytes() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let delivery = app.api.delivered(&agent).await;
    let path = format!("/webhooks/deliveries/{delivery}");
    app.pass(1);
    let retry_at = app.world.now().checked_add(jiff::SignedDuration::from_secs(60)).unwrap();
    let first = app.handoff.sent().pop().unwrap();
    let request = message(&[("content-type", "application/json"), ("x-a", "1"), ("x-a", "2")], b"{\"a\":\"\xc3\xbc\"}");
    record(&app, &first, unreachable(), NextStep::RetryAt(retry_at), [Some(request), None]).await;
    let waiting = app.api.get(&path).await.is(200);
    assert_eq!((&waiting["status"], &waiting["next_attempt_at"]), (&json!("pending"), &json!("2026-01-30T10:31:01.000Z")));
    assert_eq!((&waiting["http_status"], &waiting["duration_ms"]), (&Value::Null, &json!(12)));

    app.world.clock.set(retry_at);
    let second = app.world.store.claim_due(retry_at, app.world.leases(1)).await.unwrap().remove(0);
    let response = Message { truncated: true, size_bytes: 65_536, ..message(&[("server", "x")], b"\xff\xfe\x00") };
    record(&app, &second, answered(204), NextStep::Delivered, [Some(message(&[], b"")), Some(response)]).await;
    let detail = app.api.get(&path).await.is(200);
    assert_eq!((&detail["status"], &detail["http_status"]), (&json!("delivered"), &json!(204)));
    assert_eq!((&detail["attempt_count"], &detail["completed_at"]), (&json!(2), &json!("2026-01-30T10:31:01.000Z")));
    let attempts = json!([
        {
            "number": 1, "started_at": "2026-01-30T10:30:00.000Z", "duration_ms": 12, "timing": no_timing(), "http_status": null,
            "error": {"kind": "connect", "message": "connection refused"},
            "request": {
                "headers": {"content-type": "application/json", "x-a": "1, 2"}, "body": "{\"a\":\"ü\"}", "truncated": false, "size_bytes": 10,
            },
            "response": null,
        },
        {
            "number": 2, "started_at": "2026-01-30T10:31:01.000Z", "duration_ms": 12, "timing": no_timing(), "http_status": 204, "error": null,
            "request": {"headers": {}, "body": "", "truncated": false, "size_bytes": 0},
            "response": {"headers": {"server": "x"}, "body_base64": "//4A", "truncated": true, "size_bytes": 65536},
        },
    ]);
    assert_eq!(detail["attempts"], attempts);
    assert_eq!(names(&detail["attempts"][0]["error"]), ["kind", "message"]);
    assert_eq!(names(&detail["attempts"][0]["request"]), ["headers", "body", "truncated", "size_bytes"]);
    assert_eq!(names(&detail["attempts"][1]["response"]), ["headers", "body_base64", "truncated", "size_bytes"]);
}

#[tokio::test]
async fn an_attempt_shows_where_its_time_went() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let delivery = app.api.delivered(&agent).await;
    let micros = |micros| Some(Duration::from_micros(micros));
    let timing = Timing { resolve: micros(1_007), connect: micros(20_000), tls: None, first_byte: micros(3) };
    let record = app.world.record(&app.handoff.sent().pop().unwrap(), answered(200), NextStep::Delivered);
    app.world.store.record(AttemptRecord { timing, ..record }).await.unwrap();
    let shown = app.api.get(&format!("/webhooks/deliveries/{delivery}")).await.is(200)["attempts"][0]["timing"].clone();
    assert_eq!(shown, json!({"resolve_ms": 1.007, "connect_ms": 20.0, "tls_ms": null, "first_byte_ms": 0.003}));
    assert_eq!(names(&shown), ["resolve_ms", "connect_ms", "tls_ms", "first_byte_ms"]);
}

#[tokio::test]
async fn every_kind_of_error_has_its_documented_name() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let kinds = [
        (ErrorKind::Dns, "dns"),
        (ErrorKind::Connect, "connect"),
        (ErrorKind::Tls, "tls"),
        (ErrorKind::Timeout, "timeout"),
        (ErrorKind::Blocked, "blocked"),
        (ErrorKind::Reset, "reset"),
        (ErrorKind::Protocol, "protocol"),
        (ErrorKind::Interrupted, "interrupted"),
    ];
    for (kind, name) in kinds {
        let delivery = app.api.delivered(&agent).await;
        let outcome = Outcome::Failed(AttemptError { kind, message: "a sentence".to_owned() });
        record(&app, &app.handoff.sent().pop().unwrap(), outcome, NextStep::Exhausted, [None, None]).await;
        let detail = app.api.get(&format!("/webhooks/deliveries/{delivery}")).await.is(200);
        assert_eq!(detail["attempts"][0]["error"], json!({"kind": name, "message": "a sentence"}));
        assert_eq!(detail["status"], "failed");
    }
}

#[tokio::test]
async fn the_health_of_a_webhook_is_shown() {
    let app = TestApp::new().await;
    let webhook = format!("/webhooks/{}", app.api.webhook(URL, None).await);
    let agent = app.api.agent("Assistant").await;
    for (outcome, next, failures) in [
        (answered(500), NextStep::Exhausted, 1),
        (unreachable(), NextStep::Exhausted, 2),
        (answered(200), NextStep::Delivered, 0),
        (answered(410), NextStep::Gone, 1),
    ] {
        app.api.delivered(&agent).await;
        app.pass(60);
        record(&app, &app.handoff.sent().pop().unwrap(), outcome, next, [None, None]).await;
        let shown = app.api.get(&webhook).await.is(200);
        assert_eq!(
            (&shown["consecutive_failures"], &shown["is_enabled"]),
            (&json!(failures), &json!(next != NextStep::Gone))
        );
        assert_eq!(shown["last_triggered_at"], app.world.now().to_string());
        let reason = if next == NextStep::Gone { json!("gone") } else { Value::Null };
        assert_eq!(shown["disabled_reason"], reason);
    }
    assert_eq!(app.api.put(&webhook, json!({"is_enabled": true})).await.is(200)["disabled_reason"], Value::Null);
}

#[tokio::test]
async fn the_history_is_filtered_by_each_of_its_parameters() {
    let app = TestApp::new().await;
    let organizations = app.api.webhook(URL, None).await;
    let agents = [app.api.agent("Zero").await, app.api.agent("One").await];
    let own = app.api.webhook("https://agent.example.com", Some(&agents[1])).await;
    let mut ids = Vec::new();
    for (agent, next) in
        [(0, NextStep::Delivered), (1, NextStep::Exhausted), (0, NextStep::Exhausted), (1, NextStep::Delivered)]
    {
        ids.push(app.api.delivered(&agents[agent]).await);
        let outcome = if next == NextStep::Delivered { answered(200) } else { answered(500) };
        record(&app, &app.handoff.sent().pop().unwrap(), outcome, next, [None, None]).await;
        app.pass(60);
    }
    ids.push(app.api.delivered(&agents[0]).await);
    let run = app.api.get("/runs/TR-00003").await.is(200)["id"].as_str().unwrap().to_owned();
    for (query, expected) in [
        (String::new(), vec![4, 3, 2, 1, 0]),
        ("status=pending".to_owned(), vec![4]),
        ("status=delivered".to_owned(), vec![3, 0]),
        ("status=failed".to_owned(), vec![2, 1]),
        ("status=canceled".to_owned(), vec![]),
        (format!("webhook_id={organizations}"), vec![4, 2, 0]),
        (format!("webhook_id={own}"), vec![3, 1]),
        (format!("agent_id={}", agents[1]), vec![3, 1]),
        (format!("agent_id={}&status=failed", agents[1]), vec![1]),
        (format!("run_id={run}"), vec![2]),
        ("created_after=2026-01-30T10:32:00Z".to_owned(), vec![4, 3, 2]),
        ("created_before=2026-01-30T10:32:00Z".to_owned(), vec![1, 0]),
        ("created_after=2026-01-30T11:31:00%2B01:00&created_before=2026-01-30T10:32:00.001Z".to_owned(), vec![2, 1]),
        ("created_after=2026-01-31T00:00:00Z".to_owned(), vec![]),
    ] {
        let found = app.api.deliveries(&query).await;
        let found: Vec<&str> = found.iter().map(|delivery| delivery["id"].as_str().unwrap()).collect();
        let expected: Vec<&str> = expected.into_iter().map(|index: usize| ids[index].as_str()).collect();
        assert_eq!(found, expected, "{query}");
    }
    let of_webhook = app.api.get(&format!("/webhooks/{own}/deliveries?status=failed")).await;
    assert_eq!(of_webhook, app.api.get(&format!("/webhooks/deliveries?webhook_id={own}&status=failed")).await);
}

#[tokio::test]
async fn a_missing_delivery_or_webhook_has_no_history() {
    let app = TestApp::new().await;
    for path in [format!("/webhooks/deliveries/{NOBODY}"), format!("/webhooks/{NOBODY}/deliveries")] {
        assert!(app.api.get(&path).await.refuses(404, "NOT_FOUND").is_null());
    }
}
