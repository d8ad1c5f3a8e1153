use preclinical_core::{agent::AgentConfig, id::AgentId, member::Role, port::NewWebhook};
use preclinical_testkit::world::World;
use serde_json::json;

use super::{Browser, Shown};
use crate::app::{NOBODY, TestApp};

const CONFIG: &str = r#"{"api_key": "canary-of-config"}"#;
const HOSTILE: &str = "\"><script>alert(1)</script>";

async fn member(app: &TestApp) -> Browser {
    Browser::of(app.router(), &app.world, Role::Member).await
}

async fn viewer(app: &TestApp) -> Browser {
    Browser::of(app.router(), &app.world, Role::Viewer).await
}

async fn create(browser: &Browser, name: &str, config: &str) -> Shown {
    browser.post("/agents/new", &[("provider", "vapi"), ("name", name), ("config", config)]).await
}

async fn config(app: &TestApp, id: AgentId) -> AgentConfig {
    app.world.store.agent_config(app.world.organization, id).await.unwrap().unwrap().1
}

/// The form of an agent's page as it is, with other values in some of its fields.
async fn save(browser: &Browser, id: AgentId, fields: &[(&str, &str)]) -> Shown {
    let path = format!("/agents/{id}/edit");
    let page = browser.get(&path).await;
    let version = page.field("version").to_owned();
    let mut form = vec![("name", "Front desk"), ("provider", "vapi"), ("is_active", "yes"), ("version", &version)];
    form.retain(|(name, _)| !fields.iter().any(|(other, _)| other == name));
    form.extend_from_slice(fields);
    browser.post(&path, &form).await
}

#[tokio::test]
async fn an_agent_is_created_and_its_configuration_never_shown() {
    let app = TestApp::new().await;
    let member = member(&app).await;
    member.get("/agents").await.is(200).says("No agents yet").says("/agents/new");
    member.get("/agents/new?provider=livekit").await.is(200).says("api_secret").says("value=\"livekit\"");
    let created = create(&member, "Front desk", CONFIG).await;
    let page = member.get(created.leads_to()).await;
    page.is(200).says("The agent is there").says("Front desk").does_not_say("canary-of-config");
    let agents = app.api.get("/agents").await.is(200);
    assert_eq!((&agents["total"], &agents["agents"][0]["provider"]), (&json!(1), &json!("vapi")));
    let id = agents["agents"][0]["id"].as_str().unwrap();
    assert_eq!(member.get(&format!("/agents/{id}")).await.leads_to(), format!("/agents/{id}/edit"));
}

#[tokio::test]
async fn what_is_wrong_is_said_at_the_field_and_no_agent_is_made() {
    let app = TestApp::new().await;
    let member = member(&app).await;
    app.world.agent("taken").await;
    for (name, config, says) in [
        ("", CONFIG, "It is required."),
        ("taken", CONFIG, "There is an agent of that name."),
        ("new", "", "It is required."),
        ("new", "[]", "It must be a JSON object"),
        ("new", "{", "It is not JSON"),
        ("new", r#"{"a": 1, "a": 2}"#, "a name stands twice in an object"),
        (HOSTILE, "</textarea><script>alert(1)</script>", "It is not JSON"),
    ] {
        create(&member, name, config).await.is(422).says(says).says("see below").does_not_say("<script>a");
    }
    member
        .post("/agents/new", &[("provider", "own"), ("name", "x"), ("config", CONFIG)])
        .await
        .is(422)
        .says("Provider must be");
    assert_eq!(app.api.get("/agents").await.is(200)["total"], 1);
}

#[tokio::test]
async fn a_change_keeps_the_configuration_unless_it_is_given_anew() {
    let app = TestApp::new().await;
    let member = member(&app).await;
    create(&member, "old", r#"{"url": "https://agent.example.com"}"#).await.leads_to();
    let id = app.api.get("/agents").await.is(200)["agents"][0]["id"].as_str().unwrap().parse().unwrap();
    let before = config(&app, id).await;
    let saved = save(&member, id, &[("description", "Takes calls"), ("config", " ")]).await;
    member.get(saved.leads_to()).await.says("The changes are saved").says("Front desk").says("Takes calls");
    assert_eq!(config(&app, id).await, before);
    save(&member, id, &[("config", CONFIG)]).await.leads_to();
    assert_eq!(config(&app, id).await.0, br#"{"api_key":"canary-of-config"}"#);
    let agent = app.api.get(&format!("/agents/{id}")).await.is(200);
    assert_eq!(
        (&agent["name"], &agent["description"]),
        (&json!("Front desk"), &json!(null)),
        "an empty description is none"
    );
}

#[tokio::test]
async fn a_box_that_is_not_ticked_makes_an_agent_inactive() {
    let app = TestApp::new().await;
    let (member, id) = (member(&app).await, app.world.agent("old").await);
    let version = member.get(&format!("/agents/{id}/edit")).await.field("version").to_owned();
    let form = [("name", "old"), ("provider", "vapi"), ("version", version.as_str())];
    member.post(&format!("/agents/{id}/edit"), &form).await.leads_to();
    assert_eq!(app.api.get(&format!("/agents/{id}")).await.is(200)["is_active"], false);
    member.get("/agents").await.says("Inactive");
}

#[tokio::test]
async fn a_refused_change_shows_what_was_typed_and_changes_nothing() {
    let app = TestApp::new().await;
    let (member, id) = (member(&app).await, app.world.agent("old").await);
    app.world.agent("taken").await;
    for (fields, says) in [
        (&[("name", ""), ("description", "typed")][..], "It must not be empty."),
        (&[("name", "taken"), ("description", "typed")], "There is an agent of that name."),
        (&[("config", "nonsense"), ("description", "typed")], "It is not JSON"),
        (&[("version", "0"), ("description", "typed")], "Somebody else changed this meanwhile"),
        (&[("version", ""), ("description", "typed")], "Somebody else changed this meanwhile"),
    ] {
        save(&member, id, fields).await.is(422).says(says).says("typed");
    }
    let agent = app.api.get(&format!("/agents/{id}")).await.is(200);
    assert_eq!((&agent["name"], &agent["description"]), (&json!("old"), &json!(null)));
}

#[tokio::test]
async fn a_check_says_what_was_looked_at_and_what_was_not() {
    let app = TestApp::new().await;
    let member = member(&app).await;
    create(&member, "lacking", "{}").await.leads_to();
    let agents = app.api.get("/agents").await.is(200);
    let path = format!("/agents/{}/validate", agents["agents"][0]["id"].as_str().unwrap());
    let checked = member.post(&path, &[]).await;
    checked
        .is(200)
        .says("id=\"check\"")
        .says("Cannot work")
        .says("The configuration lacks api_key.")
        .says("Endpoint, credentials.");
}

#[tokio::test]
async fn a_deleted_agent_takes_its_webhook_with_it_and_leaves_its_runs() {
    let app = TestApp::new().await;
    let (member, id) = (member(&app).await, app.world.agent(HOSTILE).await);
    app.world.webhook("https://hooks.example.com/own", Some(id)).await;
    let run = app.world.run(id, Some(1)).await;
    let path = format!("/agents/{id}/delete");
    let question = member.get(&path).await;
    question.is(200).says("https://hooks.example.com/own").says("Its run stays").does_not_say("<script>a");
    let deleted = member.post(&path, &[]).await;
    member.get(deleted.leads_to()).await.says("The agent is deleted").says("No agents yet");
    assert_eq!(app.api.get("/webhooks").await.is(200)["total"], 0);
    app.api.get(&format!("/runs/{}", run.id)).await.is(200);
    member.post(&path, &[]).await.is(404);
}

#[tokio::test]
async fn the_list_says_which_webhook_hears_of_each_agent_and_how_the_last_run_went() {
    let app = TestApp::new().await;
    let viewer = viewer(&app).await;
    let (own, muted, other) = (app.world.agent("own").await, app.world.agent("muted").await, app.world.agent(HOSTILE).await);
    viewer.get("/agents").await.says("None yet").says("Neither the agent nor the organization has a webhook.");
    app.world.webhook("https://hooks.example.com/own", Some(own)).await;
    app.world.webhook("https://hooks.example.com/all", None).await;
    let NewWebhook { mut webhook, secret, headers } =
        app.world.webhook_value("https://hooks.example.com/muted", Some(muted));
    webhook.is_enabled = false;
    app.world.store.create_webhook(NewWebhook { webhook, secret, headers }).await.unwrap();
    let run = app.api.post("/runs", json!({"agent_id": other})).await.is(201)["id"].as_str().unwrap().to_owned();
    let counts = json!({"passed_count": 1, "failed_count": 2, "error_count": 0, "total_scenarios": 3});
    app.api.post(&format!("/runs/{run}/complete"), counts).await.is(200);
    let page = viewer.get("/agents").await;
    page.says("Its own").says("Muted").says("Organization’s").says("33.33 % passed").says(&format!("/test/{run}"));
    page.says("&lt;script&gt;").does_not_say("<script>a").does_not_say("/agents/new");
}

#[tokio::test]
async fn the_list_is_cut_into_pages_and_filtered() {
    let app = TestApp::new().await;
    let viewer = viewer(&app).await;
    for number in 1..=26 {
        app.pass(1);
        app.world.agent(&format!("agent {number:02}")).await;
    }
    viewer.get("/agents").await.says("agent 26").does_not_say("agent 01").says("/agents?page=2").says("26 agents");
    viewer.get("/agents?page=2").await.says("agent 01").does_not_say("agent 02");
    viewer.get("/agents?page=4294967295").await.is(200).says("There are none here");
    viewer.get("/agents?provider=retell").await.is(200).says("There are none here").does_not_say("agent 26");
    viewer.get("/agents?provider=").await.is(200).says("agent 26");
    for wrong in ["page=0", "page=x", "provider=own", "page=1&page=2"] {
        viewer.get(&format!("/agents?{wrong}")).await.is(400);
    }
}

#[tokio::test]
async fn agents_of_others_are_not_there() {
    let app = TestApp::new().await;
    let member = member(&app).await;
    let others = World::new(app.world.store.clone(), "others").await;
    let id = others.agent("theirs").await.to_string();
    member.get("/agents").await.does_not_say("theirs");
    for id in [id.as_str(), NOBODY, "nonsense"] {
        for path in [format!("/agents/{id}"), format!("/agents/{id}/edit"), format!("/agents/{id}/delete")] {
            member.get(&path).await.is(404);
        }
        for path in ["edit", "validate", "delete"].map(|what| format!("/agents/{id}/{what}")) {
            member.post(&path, &[("name", "ours now"), ("version", "1")]).await.is(404);
        }
    }
    assert_eq!(others.store.agent(others.organization, id.parse().unwrap()).await.unwrap().unwrap().name, "theirs");
}

#[tokio::test]
async fn a_viewer_looks_at_an_agent_and_is_offered_nothing_more() {
    let app = TestApp::new().await;
    let (viewer, id) = (viewer(&app).await, app.world.agent("Front desk").await);
    let page = viewer.get(&format!("/agents/{id}/edit")).await;
    page.is(200).says("Front desk").says(&id.to_string());
    for offer in ["name=\"version\"", "/validate", "/delete", "name=\"config\""] {
        page.does_not_say(offer);
    }
    viewer.get("/agents").await.does_not_say("/agents/new");
}
