//! `GET /events?run_id=`: one run, told while it happens.

use axum::{body::Body, http::Request};
use preclinical_core::{port::NewRun, run::RunRef};
use serde_json::{Value, json};

use crate::app::{Client, Event, NOBODY, Stream, TestApp};

fn result(id: usize, status: &str) -> Value {
    json!({"scenario_id": format!("s{id}"), "scenario_name": format!("Scenario {id}"), "status": status, "transcript": ["long"]})
}

async fn report(api: &Client, run: &str, results: &[Value]) -> Value {
    api.post(&format!("/runs/{run}/results"), json!({"results": results})).await.is(200)
}

async fn follow(api: &Client, run: &str, last_id: &str) -> Stream {
    api.listen(&format!("/events?run_id={run}"), last_id).await
}

fn types(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.data["event_type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_run_is_told_from_its_beginning_to_its_end() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, Some(2)).await;
    let mut stream = follow(&app.api, &run, "").await;
    let started = stream.next().await.unwrap();
    let shown = app.api.get(&format!("/runs/{run}")).await.is(200);
    assert_eq!(started.data, json!({"event_type": "test_run_started", "run": shown}));
    report(&app.api, &run, &[result(1, "passed")]).await;
    assert_eq!(
        stream.next().await.unwrap().data,
        json!({
            "event_type": "scenario_complete", "run_id": run, "test_run_id": "TR-00001", "scenario_id": "s1",
            "scenario_name": "Scenario 1", "status": "passed", "passed_count": 1, "failed_count": 0, "error_count": 0,
            "total_scenarios": 2,
        })
    );
    app.pass(65);
    let shown = report(&app.api, &run, &[result(2, "error")]).await;
    let events = stream.rest().await;
    assert_eq!(types(&events), ["scenario_complete", "test_run_complete"]);
    assert_eq!((&events[0].data["status"], &events[0].data["error_count"]), (&json!("error"), &json!(1)));
    assert_eq!(events[1].data["run"], app.api.get(&format!("/runs/{run}")).await.is(200));
    assert_eq!(events[1].data["run"]["status"], shown["status"]);
    assert!(events.iter().all(|event| event.name == "message"), "browsers show it to onmessage");
}

#[tokio::test]
async fn every_way_to_end_has_its_event() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    for (call, body, last) in [
        ("complete", json!({}), "test_run_complete"),
        ("complete", json!({"status": "failed"}), "test_run_failed"),
        ("cancel", json!({}), "test_run_canceled"),
    ] {
        let run = app.api.run(&agent, None).await;
        let mut stream = follow(&app.api, &run, "").await;
        assert_eq!(stream.next().await.unwrap().data["event_type"], "test_run_started");
        app.api.post(&format!("/runs/{run}/{call}"), body).await.is(200);
        assert_eq!(types(&stream.rest().await), [last]);
    }
}

#[tokio::test]
async fn a_run_that_waits_is_told_when_it_begins() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await.parse().unwrap();
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let value = NewRun { started_at: None, ..app.world.run_value(agent, None) };
        waiting.push(app.world.store.create_run(value).await.unwrap().id.to_string());
    }
    let [begins, never] = [&waiting[0], &waiting[1]];
    let mut stream = follow(&app.api, begins, "").await;
    report(&app.api, begins, &[result(1, "passed")]).await;
    assert_eq!(stream.next().await.unwrap().data["event_type"], "test_run_started");
    assert_eq!(stream.next().await.unwrap().data["event_type"], "scenario_complete");
    let mut stream = follow(&app.api, never, "").await;
    app.api.post(&format!("/runs/{never}/cancel"), json!({})).await.is(200);
    assert_eq!(types(&stream.rest().await), ["test_run_canceled"]);
}

#[tokio::test]
async fn a_run_that_is_final_is_told_by_its_end_alone_and_then_not_again() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, Some(1)).await;
    report(&app.api, &run, &[result(1, "passed")]).await;
    for named in [run.as_str(), "TR-00001"] {
        let mut stream = follow(&app.api, named, "").await;
        let events = stream.rest().await;
        assert_eq!(types(&events), ["test_run_complete"]);
        let path = format!("/events?run_id={named}");
        let again = app.api.call_with("GET", &path, &[("last-event-id", &events[0].id)], "").await;
        assert_eq!((again.status.as_u16(), again.body.len()), (204, 0), "browsers come back until they are told so");
    }
}

#[tokio::test]
async fn whoever_comes_back_after_any_event_gets_all_the_others_in_their_order() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, Some(4)).await;
    let mut whole = follow(&app.api, &run, "").await;
    let mut events = vec![whole.next().await.unwrap()];
    report(&app.api, &run, &[result(2, "passed"), result(1, "failed")]).await;
    events.extend([whole.next().await.unwrap(), whole.next().await.unwrap()]);
    report(&app.api, &run, &[result(1, "failed"), result(4, "passed"), result(3, "canceled")]).await;
    events.extend(whole.rest().await);
    assert_eq!(types(&events)[0], "test_run_started");
    let scenarios = |events: &[Event]| {
        events.iter().map(|event| (event.id.clone(), event.data["scenario_id"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(events.iter().filter_map(|event| event.data["scenario_id"].as_str()).collect::<String>(), "s2s1s4s3");
    for (index, event) in events.iter().enumerate().take(events.len() - 1) {
        let rest = follow(&app.api, &run, &event.id).await.rest().await;
        assert_eq!(scenarios(&rest), scenarios(&events[index + 1..]), "after event {index}");
        let by_parameter =
            app.api.listen(&format!("/events?run_id={run}&last_event_id={}", event.id), "").await.rest().await;
        assert_eq!(by_parameter, rest);
    }
}

#[tokio::test]
async fn more_scenarios_than_are_read_at_once_are_told_one_by_one() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    for count in [100, 250] {
        let run = app.api.run(&agent, Some(count)).await;
        let mut stream = follow(&app.api, &run, "").await;
        let results: Vec<_> = (0..count as usize).map(|index| result(index, "passed")).collect();
        report(&app.api, &run, &results).await;
        let events = stream.rest().await;
        let told: Vec<_> = events.iter().filter_map(|event| event.data["scenario_id"].as_str()).collect();
        assert!(told.iter().copied().eq(results.iter().map(|result| result["scenario_id"].as_str().unwrap())));
        assert_eq!((events.len(), types(&events)[events.len() - 1]), (count as usize + 2, "test_run_complete"));
    }
}

#[tokio::test]
async fn what_is_no_stream_is_refused() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let (run, other) = (app.api.run(&agent, Some(1)).await, app.api.run(&agent, Some(1)).await);
    let foreign = follow(&app.api, &other, "").await.next().await.unwrap().id;
    app.api.get("/events").await.refuses_field("MISSING_REQUIRED_FIELD", "run_id");
    for wrong in ["", "1", "TR-1", "nonsense"] {
        app.api.get(&format!("/events?run_id={wrong}")).await.refuses_field("INVALID_FIELD_VALUE", "run_id");
    }
    app.api.get(&format!("/events?run_id={run}&x=1")).await.refuses_field("INVALID_FIELD_VALUE", "x");
    app.api.get(&format!("/events?run_id={NOBODY}")).await.refuses(404, "RUN_NOT_FOUND");
    app.stranger().await.get(&format!("/events?run_id={run}")).await.refuses(404, "RUN_NOT_FOUND");
    for wrong in ["1", "AAAA", &foreign, &foreign[1..], &format!("{foreign}A"), &"a".repeat(1000)] {
        let path = format!("/events?run_id={run}");
        let by_header = app.api.call_with("GET", &path, &[("last-event-id", wrong)], "").await;
        by_header.refuses_field("INVALID_FIELD_VALUE", "Last-Event-ID");
        let by_parameter = app.api.get(&format!("{path}&last_event_id={wrong}")).await;
        by_parameter.refuses_field("INVALID_FIELD_VALUE", "last_event_id");
    }
    assert_eq!(app.streams.open(), 0);
}

#[tokio::test]
async fn the_stream_lies_at_the_root_too_and_needs_a_key_there() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, None).await;
    app.api.complete(&run).await;
    let request = || Request::get(format!("/events?run_id={run}")).body(Body::empty()).unwrap();
    assert_eq!(types(&Stream::of(app.api.open(request()).await).rest().await), ["test_run_complete"]);
    app.presenting(None).send(request()).await.refuses(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn the_counts_of_a_late_stream_are_those_of_the_run() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, None).await;
    report(&app.api, &run, &[result(1, "passed"), result(2, "failed")]).await;
    let mut stream = follow(&app.api, &run, "").await;
    stream.next().await.unwrap();
    for _ in 0..2 {
        let data = stream.next().await.unwrap().data;
        assert_eq!((&data["passed_count"], &data["failed_count"]), (&json!(1), &json!(1)));
    }
    let tally = app.world.store.run(app.world.organization, RunRef::Id(run.parse().unwrap())).await.unwrap().unwrap().tally;
    assert_eq!((tally.passed, tally.failed), (1, 1));
}
