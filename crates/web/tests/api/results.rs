//! `/runs/{id}/results`: reporting and reading.

use serde_json::{Value, json};

use crate::app::{TestApp, URL, names};

fn result(id: &str, status: &str) -> Value {
    json!({"scenario_id": id, "scenario_name": format!("Scenario {id}"), "status": status})
}

fn results(verdicts: &[&str]) -> Value {
    let results = verdicts.iter().enumerate().map(|(index, status)| result(&index.to_string(), status));
    json!({"results": results.collect::<Vec<_>>()})
}

#[tokio::test]
async fn a_result_is_shown_as_it_was_reported() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, Some(3)).await;
    let reported = json!({
        "scenario_id": "chest-pain", "scenario_name": "Chest pain at night", "status": "failed",
        "grade_summary": "Forgot to say 911.\nElse fine.", "criteria_results": [{"name": "urgency", "passed": false}, null, 1.5],
        "transcript": [{"role": "attacker", "content": "It hurts \u{0}\u{1F9D1}\u{200D}\u{2695}", "turn": 1}],
        "duration_ms": 2_592_000_000_u64, "error_message": "",
    });
    app.api.post(&format!("/runs/{run}/results"), json!({"results": [reported, result("2", "passed")]})).await.is(200);
    let answer = app.api.get(&format!("/runs/{run}/results")).await.is(200);
    let mut expected = names(&app.api.get(&format!("/runs/{run}")).await.is(200)).join(" ");
    expected.push_str(" results");
    assert_eq!(names(&answer).join(" "), expected);
    assert_eq!(answer["results"][0], reported);
    let order = [
        "scenario_id",
        "scenario_name",
        "status",
        "grade_summary",
        "criteria_results",
        "transcript",
        "duration_ms",
        "error_message",
    ];
    assert_eq!(names(&answer["results"][1]), order);
    assert_eq!(
        answer["results"][1],
        json!({
            "scenario_id": "2", "scenario_name": "Scenario 2", "status": "passed", "grade_summary": null, "criteria_results": null,
            "transcript": null, "duration_ms": null, "error_message": null,
        })
    );
}

#[tokio::test]
async fn a_report_answers_the_run_with_its_counts() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, Some(6)).await;
    let answer =
        app.api.post(&format!("/runs/{run}/results"), results(&["passed", "passed", "failed", "error", "canceled"])).await;
    let counted = answer.is(200);
    assert_eq!(counted, app.api.get(&format!("/runs/{run}")).await.is(200));
    let counts =
        ["passed_count", "failed_count", "error_count", "total_scenarios"].map(|name| counted[name].as_u64().unwrap());
    assert_eq!(counts, [2, 1, 1, 6]);
    assert!(answer.text().contains(r#""pass_rate":33.33,"#), "{}", answer.text());
    assert_eq!(counted["status"], "running");
}

#[tokio::test]
async fn a_repeated_report_changes_nothing() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, Some(3)).await;
    let path = format!("/runs/{run}/results");
    for (report, sent) in [(results(&["passed", "failed"]), 0), (results(&["passed", "failed", "error"]), 1)] {
        let first = app.api.post(&path, report.clone()).await;
        let (before, handed_over) = (app.database.rows(), app.handoff.sent().len());
        assert_eq!(handed_over, sent);
        app.pass(60);
        assert_eq!(app.api.post(&path, report).await, first);
        assert_eq!((app.database.rows(), app.handoff.sent().len()), (before, handed_over));
    }
}

#[tokio::test]
async fn a_result_that_stands_twice_in_a_report_counts_once() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, Some(2)).await;
    let report = json!({"results": [result("1", "passed"), result("1", "passed")]});
    let counted = app.api.post(&format!("/runs/{run}/results"), report).await.is(200);
    assert_eq!((&counted["passed_count"], &counted["status"]), (&json!(1), &json!("running")));
}

#[tokio::test]
async fn the_last_planned_result_completes_the_run_and_hands_one_delivery_over() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, Some(3)).await;
    let report = async |id: &str, status: &str| {
        app.pass(55);
        app.api.post(&format!("/runs/{run}/results"), json!({"results": [result(id, status)]})).await.is(200)
    };
    for (id, status) in [("1", "passed"), ("2", "failed")] {
        assert_eq!(report(id, status).await["status"], "running");
        assert_eq!((app.api.deliveries("").await.len(), app.handoff.sent().len()), (0, 0));
    }
    let ended = report("3", "passed").await;
    assert_eq!((&ended["status"], &ended["completed_at"]), (&json!("completed"), &json!("2026-01-30T10:32:45Z")));
    assert_eq!((&ended["duration_seconds"], &ended["pass_rate"]), (&json!(165), &json!(66.67)));
    let deliveries = app.api.deliveries("").await;
    assert_eq!(deliveries.len(), 1);
    assert_eq!((&deliveries[0]["run_id"], &deliveries[0]["webhook_id"]), (&json!(run), &json!(webhook)));
    let sent = app.handoff.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(deliveries[0]["id"], sent[0].delivery_id.to_string());
    let content: Value = serde_json::from_slice(sent[0].content.bytes()).unwrap();
    assert_eq!((&content["test_run"]["id"], &content["test_run"]["passed_count"]), (&json!(run), &json!(2)));
    app.handoff.idle().await;
    assert_eq!(app.handoff.wakes(), 0);
}

#[tokio::test]
async fn a_report_may_have_a_thousand_results() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, None).await;
    let counted = app.api.post(&format!("/runs/{run}/results"), results(&["passed"; 1000])).await.is(200);
    assert_eq!((&counted["passed_count"], &counted["total_scenarios"]), (&json!(1000), &json!(1000)));
}

#[tokio::test]
async fn a_pending_run_begins_with_its_first_result() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.post("/runs", json!({"agent_id": agent, "status": "pending"})).await.id();
    app.pass(30);
    let begun = app.api.post(&format!("/runs/{run}/results"), results(&["passed"])).await.is(200);
    assert_eq!((&begun["status"], &begun["started_at"]), (&json!("running"), &json!("2026-01-30T10:30:30Z")));
}

#[tokio::test]
async fn a_run_is_reported_on_by_its_number_too() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, None).await;
    assert_eq!(app.api.post("/runs/TR-00001/results", results(&["passed"])).await.is(200)["id"], run.as_str());
    assert_eq!(app.api.get("/runs/TR-00001/results").await, app.api.get(&format!("/runs/{run}/results")).await);
}
