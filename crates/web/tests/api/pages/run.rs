use preclinical_core::{member::Role, retry::NextStep};
use preclinical_testkit::world::answered;
use serde_json::{Value, json};

use super::Browser;
use crate::app::{NOBODY, TestApp, URL};

const HOSTILE: &str = "</pre><script>alert(1)</script>\"";
const ESCAPED: &str = "&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;";

async fn owner(app: &TestApp) -> Browser {
    Browser::of(app.router(), &app.world, Role::Owner).await
}

/// A run that takes results, and its id.
async fn running(app: &TestApp, planned: Option<u32>) -> String {
    let agent = app.api.agent("Assistant").await;
    app.api.run(&agent, planned).await
}

async fn report(app: &TestApp, run: &str, results: Value) {
    app.api.post(&format!("/runs/{run}/results"), json!({"results": results})).await.is(200);
}

fn scenario(id: &str, status: &str) -> Value {
    json!({"scenario_id": id, "scenario_name": format!("Scenario {id}"), "status": status})
}

#[tokio::test]
async fn the_address_in_a_webhook_leads_to_the_run_by_its_id_and_by_its_number() {
    let app = TestApp::new().await;
    let (owner, run) = (owner(&app).await, running(&app, None).await);
    app.pass(165);
    let counts = json!({"passed_count": 17, "failed_count": 3});
    app.api.post(&format!("/runs/{run}/complete"), counts).await.is(200);
    for path in [format!("/test/{run}"), "/test/TR-00001".to_owned()] {
        let page = owner.get(&path).await;
        page.is(200)
            .says("<h1>Assistant test run</h1>")
            .says("85%")
            .says("2 min 45 s")
            .says("Completed")
            .says("Counts only");
        page.does_not_say("data-live=").does_not_say("Cancel run");
    }
    for missing in [NOBODY, "TR-00002", "TR-1", "x", "TR-4294967296"] {
        owner.get(&format!("/test/{missing}")).await.is(404).says("There is no such run");
    }
    owner.get("/test/%FF").await.is(404).says("There is nothing here");
    let stranger = app.stranger().await;
    let theirs = stranger.run(&stranger.agent("Theirs").await, None).await;
    owner.get(&format!("/test/{theirs}")).await.is(404);
    owner.post(&format!("/test/{theirs}/cancel"), &[]).await.is(404);
    assert_eq!(stranger.get(&format!("/runs/{theirs}")).await.is(200)["status"], "running");
}

#[tokio::test]
async fn somebody_who_is_not_signed_in_comes_back_to_the_run() {
    let app = TestApp::new().await;
    let page = Browser::new(app.router()).get("/test/TR-00001?status=failed").await;
    assert_eq!(page.leads_to(), "/sign-in?next=%2Ftest%2FTR-00001%3Fstatus%3Dfailed");
}

#[tokio::test]
async fn what_needs_a_look_comes_first_and_each_verdict_can_be_chosen() {
    let app = TestApp::new().await;
    let (owner, run) = (owner(&app).await, running(&app, None).await);
    let verdicts = [("a", "passed"), ("b", "canceled"), ("c", "error"), ("d", "failed")];
    report(&app, &run, verdicts.iter().map(|(id, status)| scenario(id, status)).collect()).await;
    let page = owner.get(&format!("/test/{run}")).await;
    let places: Vec<usize> =
        ["d", "c", "b", "a"].iter().map(|id| page.html.find(&format!("Scenario {id}")).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    page.says("<details class=\"group\" id=\"group-failed\" open>").says("<details class=\"group\" id=\"group-passed\">");
    let passed = owner.get(&format!("/test/{run}?status=passed")).await;
    passed.is(200).says("Scenario a").does_not_say("Scenario d").says("id=\"group-passed\" open");
    owner.get(&format!("/test/{run}?status=")).await.is(200).says("Scenario d");
    owner.get(&format!("/test/{run}?status=good")).await.is(400);
    owner.get(&format!("/test/{run}?page=2")).await.is(200).says("The list ends before this page");
}

#[tokio::test]
async fn fifty_results_are_on_a_page() {
    let app = TestApp::new().await;
    let (owner, run) = (owner(&app).await, running(&app, None).await);
    let results = (0..120).map(|index| scenario(&format!("{index:03}."), if index < 10 { "failed" } else { "passed" }));
    report(&app, &run, results.collect()).await;
    let page = async |query: &str| owner.get(&format!("/test/{run}{query}")).await;
    let shown = |html: &str| html.matches("class=\"scenario\"").count();
    let first = page("").await;
    first
        .says("Scenario 009.")
        .says("Scenario 049.")
        .does_not_say("Scenario 050.")
        .says("1–50 of 120")
        .says("40 of 110 on this page");
    let last = page("?page=3").await;
    last.says("Scenario 100.").says("101–120 of 120").does_not_say("rel=\"next\"");
    assert_eq!((shown(&first.html), shown(&last.html)), (50, 20));
    page("?status=passed&page=3").await.says("Scenario 110.").says("?status=passed&amp;page=2#run-results");
    page("?status=failed").await.says("Scenario 009.").does_not_say("rel=\"next\"");
}

#[tokio::test]
async fn the_evidence_of_a_scenario_is_shown_for_reading() {
    let app = TestApp::new().await;
    let (owner, run) = (owner(&app).await, running(&app, None).await);
    let seen = json!({"scenario_id": "sc-1", "scenario_name": "Chest pain", "status": "failed", "duration_ms": 8900,
        "grade_summary": "It waited.", "error_message": "Closed by the agent.",
        "criteria_results": [{"name": "Advises 911", "met": false, "reason": "Not once."}],
        "transcript": [{"role": "attacker", "content": "It hurts.", "turn": 1}, {"role": "narrator", "content": "Silence."}]});
    let raw = json!({"scenario_id": "sc-2", "scenario_name": "Raw", "status": "passed",
        "criteria_results": {"score": 3}, "transcript": "all in one"});
    report(&app, &run, json!([seen, raw, scenario("sc-3", "passed")])).await;
    let page = owner.get(&format!("/test/{run}")).await;
    page.says("8.9 s").says("It waited.").says("Closed by the agent.").says("Not met: </span>Advises 911").says("Not once.");
    page.says("<strong>Patient</strong>").says("turn 1").says("It hurts.").says("<strong>narrator</strong>");
    page.says("&quot;score&quot;: 3").says("&quot;all in one&quot;").says("nothing but the verdict");
}

#[tokio::test]
async fn no_text_is_more_than_text_and_none_is_without_bounds() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let agent = app.api.agent(HOSTILE).await;
    let run = app.api.post("/runs", json!({"agent_id": agent, "name": HOSTILE})).await.is(201)["id"].clone();
    let run = run.as_str().unwrap();
    let long = HOSTILE.repeat(2000);
    let turns: Vec<Value> = (0..20_000).map(|_| json!({"role": "user", "content": ""})).collect();
    report(
        &app,
        run,
        json!([
            {"scenario_id": HOSTILE, "scenario_name": HOSTILE, "status": "failed", "grade_summary": long, "error_message": long,
             "criteria_results": {HOSTILE: "c".repeat(100_000)}, "transcript": [{"role": HOSTILE, "content": "t".repeat(200_000)}]},
            {"scenario_id": "turns", "scenario_name": "Turns", "status": "failed", "transcript": turns},
            {"scenario_id": "json", "scenario_name": "JSON", "status": "failed", "transcript": {"all": "j".repeat(300_000)}},
        ]),
    )
    .await;
    let page = owner.get(&format!("/test/{run}")).await;
    page.is(200).says(ESCAPED).does_not_say("<script>alert").does_not_say("</pre><script");
    page.says("Cut after 16 KiB").says("Cut after 64 KiB").says(&format!("/api/v1/runs/{run}/results"));
    let longest = |letter: char| page.html.split(|other| other != letter).map(str::len).max().unwrap();
    assert!((60_000..=65_536).contains(&longest('t')), "{}", longest('t'));
    assert!((16_000..=16_384).contains(&longest('c')), "{}", longest('c'));
    assert!((65_000..=65_536).contains(&longest('j')), "{}", longest('j'));
    assert!(page.html.matches("class=\"asking\"").count() < 400);
    assert!(page.html.len() < 500_000, "{}", page.html.len());
}

#[tokio::test]
async fn until_it_ends_a_run_is_followed_and_shows_how_far_it_is() {
    let app = TestApp::new().await;
    let (owner, run) = (owner(&app).await, running(&app, Some(3)).await);
    let page = owner.get(&format!("/test/{run}")).await;
    page.says(&format!("data-live=\"/live/run?run_id={run}\"")).says("0 of 3 scenarios are in").says("Nothing reported yet");
    page.says("When the run ends, it is decided");
    app.api.webhook(URL, None).await;
    report(&app, &run, json!([scenario("a", "canceled"), scenario("b", "failed")])).await;
    owner.get(&format!("/test/{run}")).await.says("2 of 3 scenarios are in").says("value=\"2\" max=\"3\"");
    report(&app, &run, json!([scenario("c", "passed")])).await;
    let ended = owner.get(&format!("/test/{run}")).await;
    ended.says("Completed").does_not_say("/live/run").says("data-live=\"/live/deliveries?agent_id=").says("is under way");
    let claimed = app.handoff.sent().remove(0);
    app.world.store.record(app.world.record(&claimed, answered(200), NextStep::Delivered)).await.unwrap();
    owner.get(&format!("/test/{run}")).await.says("answered 200").does_not_say("data-live=");
}

#[tokio::test]
async fn it_is_told_which_webhook_heard_of_the_run_and_why_others_did_not() {
    let app = TestApp::new().await;
    let (owner, agent) = (owner(&app).await, app.api.agent("Assistant").await);
    let first = app.api.run(&agent, None).await;
    app.api.complete(&first).await;
    owner
        .get(&format!("/test/{first}"))
        .await
        .says("No webhook")
        .says("Neither the agent nor the organization had a webhook");
    app.api.webhook(URL, None).await;
    app.api.webhook("https://own.example.com/", Some(&agent)).await;
    let second = app.api.run(&agent, None).await;
    app.api.complete(&second).await;
    let delivery = app.api.deliveries("").await[0]["id"].as_str().unwrap().to_owned();
    let page = owner.get(&format!("/test/{second}")).await;
    page.says("Overridden").says("overrides the organization").says("href=\"/settings/webhooks\"");
    page.says(&format!("/agents/{agent}/edit#webhook"))
        .says(&format!("/deliveries/{delivery}\""))
        .says("https://own.example.com/");
}

#[tokio::test]
async fn a_run_is_canceled_by_those_who_may_and_its_webhook_hears_of_it() {
    let app = TestApp::new().await;
    let viewer = Browser::of(app.router(), &app.world, Role::Viewer).await;
    let member = Browser::of(app.router(), &app.world, Role::Member).await;
    app.api.webhook(URL, None).await;
    let run = running(&app, None).await;
    let path = format!("/test/{run}");
    viewer.get(&path).await.is(200).does_not_say("/cancel\"");
    viewer.post(&format!("{path}/cancel"), &[]).await.is(403);
    member.get(&path).await.is(200).says(&format!("action=\"{path}/cancel\""));
    let canceled = member.post(&format!("{path}/cancel"), &[]).await;
    assert_eq!(canceled.leads_to(), format!("{path}?done=canceled"));
    member.get(canceled.leads_to()).await.is(200).says("The run was canceled.").does_not_say("/cancel\"");
    assert_eq!(app.handoff.sent().len(), 1, "it is sent at once");
    assert_eq!(app.api.get(&format!("/runs/{run}")).await.is(200)["status"], "canceled");
    let again = member.post("/test/TR-00001/cancel", &[]).await;
    assert_eq!(again.leads_to(), "/test/TR-00001?done=ended-before");
    member.get(again.leads_to()).await.is(200).says("had ended before");
    assert_eq!(app.handoff.sent().len(), 1);
    member.get(&format!("{path}?done=%3Cb%3E")).await.is(200).does_not_say("<b>");
}
