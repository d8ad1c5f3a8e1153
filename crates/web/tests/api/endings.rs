//! `/runs/{id}/complete` and `/runs/{id}/cancel`.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::app::{TestApp, URL, names};

#[tokio::test]
async fn a_completed_run_is_answered_and_its_delivery_handed_over() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, None).await;
    app.pass(165);
    let counts =
        json!({"status": "completed", "passed_count": 17, "failed_count": 3, "error_count": 0, "total_scenarios": 20});
    let answer = app.api.post(&format!("/runs/{run}/complete"), counts).await;
    let ended = answer.is(200);
    assert_eq!(ended, app.api.get("/runs/TR-00001").await.is(200));
    let expected = json!({
        "id": run, "test_run_id": "TR-00001", "name": "Assistant test run", "status": "completed", "agent_id": agent,
        "agent_name": "Assistant", "pass_rate": 85.0, "passed_count": 17, "failed_count": 3, "error_count": 0,
        "total_scenarios": 20, "started_at": "2026-01-30T10:30:00Z", "completed_at": "2026-01-30T10:32:45Z",
        "created_at": "2026-01-30T10:30:00Z", "duration_seconds": 165,
    });
    assert_eq!(ended, expected);
    assert!(answer.text().contains(r#""pass_rate":85.0,"#));
    let sent = app.handoff.sent();
    assert_eq!((sent.len(), sent[0].attempt, sent[0].url.as_str()), (1, 1, URL));
    let content: Value = serde_json::from_slice(sent[0].content.bytes()).unwrap();
    assert_eq!(content["results_url"], format!("https://app.example.com/test/{run}"));
    assert_eq!(content["test_run"]["pass_rate"], 85.0);
}

#[tokio::test]
async fn a_run_ends_as_it_is_told() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let endings = [
        ("", "completed"),
        ("{}", "completed"),
        (r#"{"status":null}"#, "completed"),
        (r#"{"status":"completed"}"#, "completed"),
        (r#"{"status":"failed"}"#, "failed"),
    ];
    for (body, expected) in endings {
        let run = app.api.run(&agent, None).await;
        let ended = app.api.call("POST", &format!("/runs/{run}/complete"), body).await.is(200);
        assert_eq!(ended["status"], expected);
    }
}

#[tokio::test]
async fn a_missing_total_is_the_sum_or_the_plan() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    for (planned, counts, total) in [
        (None, json!({"passed_count": 2, "failed_count": 1}), 3),
        (Some(10), json!({"passed_count": 2}), 10),
        (Some(2), json!({"passed_count": 2, "error_count": 3}), 5),
        (Some(10), json!({"total_scenarios": 4}), 4),
        (None, json!({"passed_count": 0, "total_scenarios": 0}), 0),
        (None, json!({"passed_count": 10_000_000, "total_scenarios": 10_000_000}), 10_000_000),
        (Some(7), json!({}), 7),
    ] {
        let run = app.api.run(&agent, planned).await;
        let ended = app.api.post(&format!("/runs/{run}/complete"), counts).await.is(200);
        assert_eq!(ended["total_scenarios"], total);
    }
}

#[tokio::test]
async fn a_run_with_results_keeps_their_counts() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, Some(4)).await;
    let result = json!({"scenario_id": "1", "scenario_name": "One", "status": "passed"});
    app.api.post(&format!("/runs/{run}/results"), json!({"results": [result]})).await.is(200);
    let ended = app.api.complete(&run).await;
    assert_eq!(
        (&ended["passed_count"], &ended["total_scenarios"], &ended["pass_rate"]),
        (&json!(1), &json!(4), &json!(25.0))
    );
}

#[tokio::test]
async fn a_canceled_run_says_so_and_its_webhook_hears_of_it() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    for (status, started_at) in [("running", json!("2026-01-30T10:30:00Z")), ("pending", Value::Null)] {
        let run = app.api.post("/runs", json!({"agent_id": agent, "status": status})).await.is(201);
        let path = format!("/runs/{}", run["id"].as_str().unwrap());
        let canceled = app.api.post(&format!("{path}/cancel"), json!({})).await.is(200);
        assert_eq!(names(&canceled), ["id", "status", "message"]);
        assert_eq!((&canceled["id"], &canceled["status"]), (&run["id"], &json!("canceled")));
        assert!(canceled["message"].as_str().unwrap().contains(run["test_run_id"].as_str().unwrap()));
        let read = app.api.get(&path).await.is(200);
        assert_eq!((&read["status"], &read["started_at"]), (&json!("canceled"), &started_at));
        let sent = app.handoff.sent().pop().unwrap();
        let content: Value = serde_json::from_slice(sent.content.bytes()).unwrap();
        assert_eq!((&content["test_run"]["status"], &content["test_run"]["started_at"]), (&json!("canceled"), &started_at));
    }
    assert_eq!(app.handoff.sent().len(), 2);
}

#[tokio::test]
async fn a_final_run_is_not_ended_again() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let endings =
        [("complete", "{}", "completed"), ("complete", r#"{"status":"failed"}"#, "failed"), ("cancel", "", "canceled")];
    for (call, body, status) in endings {
        let run = app.api.run(&agent, None).await;
        app.api.call("POST", &format!("/runs/{run}/{call}"), body).await.is(200);
        let (before, sent) = (app.database.rows(), app.handoff.sent().len());
        for (call, body, _) in endings {
            app.pass(1);
            let answer = app.api.call("POST", &format!("/runs/{run}/{call}"), body).await;
            answer.refuses_state(status);
            assert!(answer.json()["error"].as_str().unwrap().contains(status));
        }
        let result = json!({"scenario_id": "1", "scenario_name": "One", "status": "passed"});
        app.api.post(&format!("/runs/{run}/results"), json!({"results": [result]})).await.refuses_state(status);
        assert_eq!((app.database.rows(), app.handoff.sent().len()), (before, sent));
    }
    app.handoff.idle().await;
    assert_eq!(app.handoff.wakes(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_racing_endings_one_wins_and_the_others_learn_how() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, None).await;
    let mut calls = JoinSet::new();
    for index in 0..64 {
        let (api, run) = (app.api.clone(), run.clone());
        calls.spawn(async move {
            let (call, body) = [("complete", "{}"), ("cancel", ""), ("complete", r#"{"status":"failed"}"#)][index % 3];
            api.call("POST", &format!("/runs/{run}/{call}"), body).await
        });
    }
    let (won, lost): (Vec<_>, Vec<_>) = calls.join_all().await.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 63));
    let status = won[0].json()["status"].as_str().unwrap().to_owned();
    for answer in lost {
        answer.refuses_state(&status);
    }
    assert_eq!(app.api.get(&format!("/runs/{run}")).await.is(200)["status"], status.as_str());
    let deliveries = app.api.deliveries("").await;
    assert_eq!(deliveries.len(), 1);
    app.handoff.idle().await;
    let sent = app.handoff.sent();
    assert_eq!(
        sent.iter().map(|claimed| claimed.delivery_id.to_string()).collect::<Vec<_>>(),
        [deliveries[0]["id"].as_str().unwrap()]
    );
}

#[tokio::test]
async fn without_a_free_place_a_run_ends_all_the_same_and_the_engine_is_woken() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    app.handoff.fill();
    let result = json!({"scenario_id": "1", "scenario_name": "One", "status": "passed"});
    for (wakes, (call, body)) in
        [("complete", json!({})), ("cancel", json!({})), ("results", json!({"results": [result]}))].into_iter().enumerate()
    {
        let run = app.api.run(&agent, Some(1)).await;
        assert_eq!(app.handoff.wakes(), wakes);
        app.api.post(&format!("/runs/{run}/{call}"), body).await.is(200);
        assert_eq!(app.handoff.wakes(), wakes + 1);
        let deliveries = app.api.deliveries(&format!("run_id={run}")).await;
        assert_eq!(deliveries.len(), 1);
        assert_eq!((&deliveries[0]["status"], &deliveries[0]["attempt_count"]), (&json!("pending"), &json!(0)));
        assert_eq!(deliveries[0]["next_attempt_at"], "2026-01-30T10:30:00.000Z");
    }
    assert_eq!(app.handoff.sent().len(), 0);
}
