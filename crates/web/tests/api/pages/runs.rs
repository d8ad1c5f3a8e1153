use preclinical_core::member::Role;
use serde_json::json;

use super::Browser;
use crate::app::{NOBODY, TestApp};

const HOSTILE: &str = "<script>alert(1)</script>\"' $(reboot)";
const ESCAPED: &str = "&lt;script&gt;alert(1)&lt;/script&gt;";

async fn owner(app: &TestApp) -> Browser {
    Browser::of(app.router(), &app.world, Role::Owner).await
}

/// Runs of an agent that have ended, with these counts of passed and failed scenarios.
async fn ended(app: &TestApp, agent: &str, counts: &[(u32, u32)]) {
    for (passed, failed) in counts {
        let run = app.api.run(agent, None).await;
        app.pass(90);
        let counts = json!({"passed_count": passed, "failed_count": failed});
        app.api.post(&format!("/runs/{run}/complete"), counts).await.is(200);
    }
}

#[tokio::test]
async fn an_empty_list_says_what_is_missing() {
    let app = TestApp::new().await;
    let (owner, viewer) = (owner(&app).await, Browser::of(app.router(), &app.world, Role::Viewer).await);
    owner.get("/runs").await.is(200).says("No agents yet").says("--create-agent").says("Add an agent");
    viewer.get("/runs").await.is(200).says("No agents yet").does_not_say("Add an agent");
    let agent = app.api.agent("Nora's agent").await;
    let page = owner.get("/runs").await;
    page.is(200).says("No runs yet").says(r"--agent 'Nora'\''s agent'").does_not_say("--create-agent").says(&agent);
    for path in ["/runs?status=failed", &format!("/runs?agent={agent}"), &format!("/runs?agent={NOBODY}&status=")] {
        owner.get(path).await.is(200).says("No run matches").says("Show all runs").does_not_say("No runs yet");
    }
    ended(&app, &agent, &[(1, 0)]).await;
    owner.get("/runs?status=completed&agent=").await.is(200).says("TR-00001").does_not_say("No run matches");
    owner.get("/runs?page=2").await.is(200).says("The list ends before this page").says("To the first page");
}

#[tokio::test]
async fn the_newest_runs_come_first_with_their_counts_and_25_are_on_a_page() {
    let app = TestApp::new().await;
    let (owner, agent) = (owner(&app).await, app.api.agent("Assistant").await);
    ended(&app, &agent, &[(17, 3); 27]).await;
    let first = owner.get("/runs").await;
    first
        .is(200)
        .says("85%")
        .says("1 min 30 s")
        .says("1–25 of 27")
        .says("/runs?page=2")
        .says("17<span class=\"sr\"> passed");
    let rows = |html: &str| html.matches("<tr id=\"run-").count();
    let list = first.html.split_once("All runs").unwrap().1;
    assert_eq!(rows(list), 25);
    assert!(list.find("TR-00027").unwrap() < list.find("TR-00003").unwrap() && !list.contains("TR-00002"));
    let second = owner.get("/runs?page=2").await;
    second.is(200).says("TR-00002").says("26–27 of 27").does_not_say("TR-00003").does_not_say("Pass rate</h2>");
    assert_eq!(rows(&second.html), 2);
}

#[tokio::test]
async fn filters_choose_by_agent_and_status_and_stay_on_the_pages_that_follow() {
    let app = TestApp::new().await;
    let (owner, one, other) = (owner(&app).await, app.api.agent("One").await, app.api.agent("Other").await);
    ended(&app, &one, &[(1, 0); 26]).await;
    app.api.run(&other, None).await;
    let page = owner.get(&format!("/runs?agent={one}&status=completed")).await;
    page.is(200).says("1–25 of 26").does_not_say("TR-00027");
    page.says(&format!("/runs?status=completed&amp;agent={one}&amp;page=2"));
    page.says(&format!("<option value=\"{one}\" selected>One")).says("<option value=\"completed\" selected>Completed");
    owner.get("/runs?status=running").await.is(200).says("TR-00027").does_not_say("TR-00026</span>");
    assert_eq!(app.api.delete(&format!("/agents/{one}")).await.status, 204);
    owner.get(&format!("/runs?agent={one}")).await.is(200).says("A deleted agent</option>").says("1–25 of 26");
}

#[tokio::test]
async fn an_address_that_asks_for_nonsense_is_told_so() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    for query in ["status=done", "agent=1", "page=0", "page=-1", "page=x", "page=1&page=2", "page=99999999999"] {
        owner.get(&format!("/runs?{query}")).await.is(400).says("This could not be done");
    }
    owner.get("/runs?page=4294967295&other=1").await.is(200);
}

#[tokio::test]
async fn the_chart_has_a_line_for_each_of_five_agents_and_its_figures_as_a_table() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let agent = app.api.agent("Agent 1").await;
    app.api.run(&agent, None).await;
    owner.get("/runs").await.is(200).says("No run has ended with a verdict yet").does_not_say("<polyline");
    ended(&app, &agent, &[(0, 0), (3, 1)]).await;
    let one = owner.get("/runs").await;
    one.says("One run has ended so far")
        .says("75%</strong>")
        .says("role=\"img\" aria-label=\"Pass rate of the last runs of Agent 1");
    ended(&app, &agent, &[(1, 1); 120]).await;
    let many = owner.get("/runs").await;
    many.says("The last 100 runs").says("50%</strong>").says("series-1").does_not_say("series-2");
    assert_eq!(many.html.split_once("The figures as a table").unwrap().1.matches("<tr>").count(), 101 + 1);
    for index in 2..=6 {
        ended(&app, &app.api.agent(&format!("Agent {index}")).await, &[(index, 1), (1, index)]).await;
    }
    let six = owner.get("/runs").await;
    six.says("The 5 agents with the latest runs are shown").says("series-5").does_not_say("series-6");
    let chosen = owner.get(&format!("/runs?agent={agent}")).await;
    chosen.says("The last 100 runs").does_not_say("series-2").does_not_say("with the latest runs are shown");
}

#[tokio::test]
async fn a_canceled_run_is_listed_and_not_in_the_chart() {
    let app = TestApp::new().await;
    let (owner, agent) = (owner(&app).await, app.api.agent("Assistant").await);
    let run = app.api.run(&agent, Some(5)).await;
    let results = json!({"results": [{"scenario_id": "a", "scenario_name": "A", "status": "passed"}]});
    app.api.post(&format!("/runs/{run}/results"), results).await.is(200);
    app.api.post(&format!("/runs/{run}/cancel"), json!({})).await.is(200);
    let page = owner.get("/runs").await;
    page.is(200)
        .says("Canceled")
        .says("20%")
        .says("4<span class=\"sr\"> without a verdict")
        .says("No run has ended with a verdict yet");
}

#[tokio::test]
async fn names_are_nothing_but_text() {
    let app = TestApp::new().await;
    let (owner, agent) = (owner(&app).await, app.api.agent(HOSTILE).await);
    owner.get("/runs").await.is(200).says(ESCAPED).says(r"'\'' $(reboot)'").does_not_say("<script>alert");
    let run = app.api.post("/runs", json!({"agent_id": agent, "name": HOSTILE})).await.is(201)["id"].clone();
    let counts = json!({"passed_count": 10_000_000, "failed_count": 10_000_000, "error_count": 10_000_000});
    app.api.post(&format!("/runs/{}/complete", run.as_str().unwrap()), counts).await.is(200);
    owner.get("/runs").await.is(200).says(ESCAPED).does_not_say("<script>alert").says("33.33%").says("30000000");
}

#[tokio::test]
async fn another_organizations_runs_are_not_there() {
    let app = TestApp::new().await;
    let stranger = app.stranger().await;
    let theirs = stranger.agent("Their agent").await;
    stranger.run(&theirs, None).await;
    let owner = owner(&app).await;
    owner.get("/runs").await.is(200).says("No agents yet").does_not_say("Their agent");
    owner.get(&format!("/runs?agent={theirs}")).await.is(200).says("No run matches").does_not_say("Their agent");
}
