//! `/runs`: creating and reading.

use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, names};

/// What a run shows in a list; alone it shows `duration_seconds` too.
const FIELDS: [&str; 14] = [
    "id",
    "test_run_id",
    "name",
    "status",
    "agent_id",
    "agent_name",
    "pass_rate",
    "passed_count",
    "failed_count",
    "error_count",
    "total_scenarios",
    "started_at",
    "completed_at",
    "created_at",
];

#[tokio::test]
async fn a_created_run_says_where_to_poll() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let suite = app.api.post("/test-suites", json!({"name": "Emergencies"})).await.id();
    let body = json!({
        "agent_id": agent, "name": "Emergency Response Test", "test_suite_id": suite, "test_mode": "full",
        "max_scenarios": 10, "max_turns": 12, "total_scenarios": 20,
    });
    let answer = app.api.post("/runs", body).await;
    let run = answer.is(201);
    assert_eq!(names(&run), ["id", "test_run_id", "status", "total_scenarios", "poll_url"]);
    let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    assert_eq!(
        run,
        json!({"id": run["id"], "test_run_id": "TR-00001", "status": "running", "total_scenarios": 20, "poll_url": path})
    );
    assert_eq!(answer.header("location"), Some(path.as_str()));
    let polled = app.api.get(path.strip_prefix("/api/v1").unwrap()).await.is(200);
    assert_eq!((&polled["id"], &polled["status"]), (&run["id"], &run["status"]));
}

#[tokio::test]
async fn a_run_needs_no_more_than_an_agent() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let created = app.api.post("/runs", json!({"agent_id": agent})).await.is(201);
    let run = app.api.get(&format!("/runs/{}", created["id"].as_str().unwrap())).await.is(200);
    let expected = json!({
        "id": created["id"], "test_run_id": "TR-00001", "name": "Assistant test run", "status": "running", "agent_id": agent,
        "agent_name": "Assistant", "pass_rate": 0.0, "passed_count": 0, "failed_count": 0, "error_count": 0,
        "total_scenarios": 0, "started_at": "2026-01-30T10:30:00Z", "completed_at": null,
        "created_at": "2026-01-30T10:30:00Z", "duration_seconds": 0,
    });
    assert_eq!(run, expected);
    assert_eq!(names(&run)[..14], FIELDS);
    assert_eq!(names(&run)[14..], ["duration_seconds"]);
    assert_eq!(app.api.get("/runs/TR-00001").await.is(200), expected);
}

#[tokio::test]
async fn a_run_begins_when_it_says() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let begun = [
        (json!({}), json!("running"), json!("2026-01-30T10:30:00Z")),
        (json!({"status": "running"}), json!("running"), json!("2026-01-30T10:30:00Z")),
        (json!({"status": "pending"}), json!("pending"), Value::Null),
        (json!({"started_at": "2026-01-30T11:00:00+01:00"}), json!("running"), json!("2026-01-30T10:00:00Z")),
        (json!({"started_at": "2025-12-31T10:30:00Z"}), json!("running"), json!("2025-12-31T10:30:00Z")),
    ];
    for (mut body, status, started_at) in begun {
        body["agent_id"] = json!(agent);
        let created = app.api.post("/runs", body).await.is(201);
        assert_eq!(created["status"], status);
        let run = app.api.get(&format!("/runs/{}", created["id"].as_str().unwrap())).await.is(200);
        assert_eq!((&run["status"], &run["started_at"]), (&status, &started_at));
    }
}

#[tokio::test]
async fn runs_are_counted_per_organization_without_gaps() {
    let app = TestApp::new().await;
    let stranger = app.stranger().await;
    let (ours, theirs) = (app.api.agent("Assistant").await, stranger.agent("Assistant").await);
    for expected in ["TR-00001", "TR-00002", "TR-00003"] {
        let run = app.api.post("/runs", json!({"agent_id": ours})).await.is(201);
        assert_eq!(run["test_run_id"], expected);
        app.api.post("/runs", json!({"agent_id": NOBODY})).await.refuses(400, "AGENT_NOT_FOUND");
    }
    assert_eq!(stranger.post("/runs", json!({"agent_id": theirs})).await.is(201)["test_run_id"], "TR-00001");
}

#[tokio::test]
async fn runs_are_listed_newest_first_in_pages_and_filtered() {
    let app = TestApp::new().await;
    let agents = [app.api.agent("Zero").await, app.api.agent("One").await];
    for number in 0..25 {
        let run = app.api.run(&agents[number % 2], None).await;
        app.pass(10);
        match number % 3 {
            0 => drop(app.api.complete(&run).await),
            1 => drop(app.api.post(&format!("/runs/{run}/cancel"), json!({})).await.is(200)),
            _ => {}
        }
    }
    let page = async |query: &str| {
        let page = app.api.get(&format!("/runs{query}")).await.is(200);
        assert_eq!(names(&page), ["runs", "total", "limit", "offset"]);
        let runs = page["runs"].as_array().unwrap();
        assert!(runs.iter().all(|run| names(run) == FIELDS), "{page}");
        let number = |run: &Value| run["test_run_id"].as_str().unwrap()[3..].parse::<usize>().unwrap() - 1;
        let numbers: Vec<usize> = runs.iter().map(number).collect();
        (numbers, page["total"].as_u64().unwrap(), page["limit"].as_u64().unwrap(), page["offset"].as_u64().unwrap())
    };
    let those = |wanted: fn(&usize) -> bool| (0..25).rev().filter(wanted).collect::<Vec<_>>();
    assert_eq!(page("").await, ((5..25).rev().collect(), 25, 20, 0));
    assert_eq!(page("?limit=7&offset=21").await, (vec![3, 2, 1, 0], 25, 7, 21));
    assert_eq!(page("?limit=100&offset=25").await, (vec![], 25, 100, 25));
    assert_eq!(page("?status=completed").await, (those(|n| n % 3 == 0), 9, 20, 0));
    assert_eq!(page("?status=canceled").await, (those(|n| n % 3 == 1), 8, 20, 0));
    assert_eq!(page("?status=running&limit=2").await, (vec![23, 20], 8, 2, 0));
    assert_eq!(page("?status=pending").await.1, 0);
    assert_eq!(page(&format!("?agent_id={}", agents[0])).await, (those(|n| n % 2 == 0), 13, 20, 0));
    let both = format!("?agent_id={}&status=completed", agents[1]);
    assert_eq!(page(&both).await, (those(|n| n % 6 == 3), 4, 20, 0));
}

#[tokio::test]
async fn a_missing_run_is_not_found_by_id_nor_by_number() {
    let app = TestApp::new().await;
    for name in [NOBODY, "TR-00001"] {
        for path in [format!("/runs/{name}"), format!("/runs/{name}/results")] {
            assert!(app.api.get(&path).await.refuses(404, "RUN_NOT_FOUND").is_null());
        }
        for call in ["complete", "cancel"] {
            app.api.post(&format!("/runs/{name}/{call}"), json!({})).await.refuses(404, "RUN_NOT_FOUND");
        }
        let results = json!({"results": [{"scenario_id": "1", "scenario_name": "1", "status": "passed"}]});
        app.api.post(&format!("/runs/{name}/results"), results).await.refuses(404, "RUN_NOT_FOUND");
    }
}
