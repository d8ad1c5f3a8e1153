use axum::http::StatusCode;
use preclinical_core::{
    attempt::{AttemptError, ErrorKind, Outcome},
    member::Role,
    port::AttemptSummary,
    retry::NextStep,
};
use serde_json::json;

use super::{Browser, Shown};
use crate::app::{TestApp, URL};

const SECRET: &str = "canary-of-secret";

async fn owner(app: &TestApp) -> Browser {
    Browser::of(app.router(), &app.world, Role::Owner).await
}

async fn save(browser: &Browser, fields: &[(&str, &str)]) -> Shown {
    browser.post("/webhooks/save", fields).await
}

#[tokio::test]
async fn the_documented_steps_set_the_organizations_webhook_up() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    owner.get("/settings/webhooks").await.is(200).says("Not set up").says("View Delivery History");
    let saved = save(&owner, &[("url", URL), ("secret", SECRET), ("description", "Deploys")]).await;
    assert_eq!(saved.leads_to(), "/settings/webhooks?done=webhook-created");
    let page = owner.get(saved.leads_to()).await;
    page.is(200).says("Send a test to see that it works").says(URL).says("Requests are signed").does_not_say(SECRET);
    let webhooks = app.api.get("/webhooks").await.is(200);
    assert_eq!((&webhooks["total"], &webhooks["webhooks"][0]["url"]), (&json!(1), &json!(URL)));
}

#[tokio::test]
async fn saving_again_changes_the_one_that_is_there_and_keeps_its_secret() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    save(&owner, &[("url", URL), ("secret", SECRET)]).await.leads_to();
    let version = owner.get("/settings/webhooks").await.field("version").to_owned();
    let changes = [("url", "https://other.example.com/"), ("secret", ""), ("description", ""), ("version", &version)];
    let saved = save(&owner, &changes).await;
    assert_eq!(saved.leads_to(), "/settings/webhooks?done=webhook-saved");
    owner.get("/settings/webhooks").await.says("https://other.example.com/").says("Requests are signed");
    // Forms that are older than the webhook change nothing, those from before it was there among them.
    save(&owner, &changes).await.is(422).says("Somebody else changed this meanwhile");
    save(&owner, &[("url", URL)]).await.is(422).says("Somebody else changed this meanwhile");
    let version = owner.get("/settings/webhooks").await.field("version").to_owned();
    save(&owner, &[("url", URL), ("remove_secret", "yes"), ("version", &version)]).await.leads_to();
    owner.get("/settings/webhooks").await.says("Requests are not signed");
    assert_eq!(app.api.get("/webhooks").await.is(200)["total"], 1);
}

#[tokio::test]
async fn what_the_api_refuses_is_refused_here_in_the_same_words_and_nothing_is_saved() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    for url in
        ["", "nonsense", "ftp://example.com/", "http://127.0.0.1/", "https://u:p@example.com/", "http://169.254.169.254/"]
    {
        let shown = save(&owner, &[("url", url), ("secret", SECRET), ("description", "<b>x</b>")]).await;
        shown.is(422).says("aria-invalid=\"true\"").says("&lt;b&gt;x&lt;/b&gt;").does_not_say(SECRET);
        if !url.is_empty() {
            let refused = app.api.post("/webhooks", json!({"url": url})).await.is(400);
            let reason = refused["error"].as_str().unwrap().strip_prefix("url").unwrap().to_owned();
            shown.says(&reason.replace('\'', "&#39;"));
        }
    }
    let shown = save(&owner, &[("url", URL), ("secret", "a bell \u{7}")]).await;
    shown.is(422).says(URL).says("Nothing was saved yet");
    assert_eq!(app.api.get("/webhooks").await.is(200)["total"], 0);
}

#[tokio::test]
async fn a_url_is_judged_before_it_is_saved() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    for (url, verdict) in [
        (URL, "data-valid=\"true\""),
        ("http://example.com/", "Without TLS"),
        ("https://hooks.slack.com/services/T0/B0/x", "Slack"),
        ("http://[::1]/", "data-valid=\"false\""),
        ("<script>", "data-valid=\"false\""),
    ] {
        owner.post("/webhooks/check-url", &[("url", url)]).await.is(200).says(verdict).does_not_say("<script>");
    }
}

#[tokio::test]
async fn a_test_shows_what_came_of_it() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let id = app.api.webhook(URL, None).await;
    let error = AttemptError { kind: ErrorKind::Tls, message: "the <certificate> has expired".to_owned() };
    for (summary, said) in [
        (AttemptSummary { delivered: true, http_status: Some(204), error: None }, "The receiver answered 204"),
        (AttemptSummary { delivered: false, http_status: Some(418), error: None }, "The receiver answered 418"),
        (AttemptSummary { delivered: false, http_status: None, error: Some(error) }, "The &lt;certificate&gt; has expired."),
    ] {
        app.handoff.end_with(Some(summary));
        owner.post(&format!("/webhooks/{id}/test"), &[]).await.is(200).says(said).says("See the whole delivery");
    }
    app.handoff.fill();
    owner.post(&format!("/webhooks/{id}/test"), &[]).await.is(429).says("Too much at once");
}

#[tokio::test]
async fn a_webhook_is_switched_off_and_on() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let id = app.api.webhook(URL, None).await;
    let off = owner.post(&format!("/webhooks/{id}/disable"), &[]).await;
    owner.get(off.leads_to()).await.says("pending deliveries were canceled").says("Disabled").says("nobody hears");
    let on = owner.post(&format!("/webhooks/{id}/enable"), &[]).await;
    owner.get(on.leads_to()).await.says("enabled again").says("Enabled");
}

#[tokio::test]
async fn deleting_says_first_what_is_lost() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let (id, agent) = (app.api.webhook(URL, None).await, app.api.agent("Triage").await);
    app.handoff.fill();
    app.api.delivered(&agent).await;
    let path = format!("/webhooks/{id}/delete");
    owner.get(&path).await.is(200).says("1 pending delivery is canceled").says("signing secret is lost");
    let deleted = owner.post(&path, &[]).await;
    owner.get(deleted.leads_to()).await.says("The webhook was deleted").says("Not set up");
    assert_eq!(owner.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_rotated_secret_is_shown_once_and_the_overlap_after_it() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let id = app.api.webhook(URL, None).await;
    let shown = owner.post(&format!("/webhooks/{id}/rotate"), &[("overlap", "3600")]).await;
    let secret = shown.is(200).html.split_once("whsec_").unwrap().1.split_once('"').unwrap().0.to_owned();
    let page = owner.get("/settings/webhooks").await;
    page.does_not_say(&secret).says("signature of the secret before");
    app.pass(3601);
    owner.get("/settings/webhooks").await.does_not_say("signature of the secret before");
}

#[tokio::test]
async fn a_rotation_that_is_sent_twice_leaves_the_secret_before_it_in_its_overlap() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let (id, agent) = (app.api.webhook(URL, None).await, app.api.agent("Triage").await);
    let rotation = owner.get("/settings/webhooks").await.field("rotation").to_owned();
    let mut shown = String::new();
    for _ in 0..2 {
        let answer = owner.post(&format!("/webhooks/{id}/rotate"), &[("overlap", "3600"), ("rotation", &rotation)]).await;
        shown = format!("whsec_{}", answer.is(200).html.split_once("whsec_").unwrap().1.split_once('"').unwrap().0);
    }
    app.api.delivered(&agent).await;
    let sent = app.handoff.sent().pop().unwrap();
    let secrets: Vec<_> = sent.secrets.iter().map(|secret| secret.expose().to_owned()).collect();
    assert_eq!(secrets, [shown, SECRET.to_owned()]);
    owner.get("/settings/webhooks").await.says("Shown to");
}

#[tokio::test]
async fn whoever_looks_at_the_secret_is_recorded() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let id = app.api.webhook(URL, None).await;
    owner.get("/settings/webhooks").await.does_not_say("Shown to").does_not_say(SECRET);
    owner.post(&format!("/webhooks/{id}/reveal"), &[]).await.is(200).says(SECRET);
    owner.get("/settings/webhooks").await.does_not_say(SECRET).says("Shown to").says("owner-0@example.com, ");
}

#[tokio::test]
async fn it_says_which_webhook_is_in_force_for_each_agent() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    owner.get("/settings/webhooks").await.says("There are no agents yet");
    let (own, muted) = (app.api.agent("Own").await, app.api.agent("Muted").await);
    app.api.agent("<i>Inheriting</i>").await;
    owner.get("/settings/webhooks").await.says("No webhook");
    app.api.webhook(URL, None).await;
    app.api.webhook(URL, Some(&own)).await;
    let id = app.api.webhook(URL, Some(&muted)).await;
    app.api.put(&format!("/webhooks/{id}"), json!({"is_enabled": false})).await.is(200);
    let page = owner.get("/settings/webhooks").await;
    page.says("Its own").says("Muted").says("Organization’s").says("&lt;i&gt;Inheriting&lt;/i&gt;");
}

#[tokio::test]
async fn its_health_shows_the_latest_deliveries_and_failures_in_a_row() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let agent = app.world.agent("Triage").await;
    app.world.webhook(URL, None).await;
    for _ in 0..2 {
        let claimed = app.world.claimed(agent).await;
        let outcome = Outcome::Answered { status: 500, retry_after: None };
        app.world.store.record(app.world.record(&claimed, outcome, NextStep::Exhausted)).await.unwrap();
    }
    let page = owner.get("/settings/webhooks").await;
    page.says("Failing").says("The last 2 attempts failed");
    assert_eq!(page.html.matches("class=\"bad\" href=\"/deliveries/").count(), 2);
}

#[tokio::test]
async fn an_agents_webhook_is_set_up_in_the_agents_own_section() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    app.api.webhook("https://default.example.com/", None).await;
    let agent = app.api.agent("Triage").await;
    let edit = format!("/agents/{agent}/edit");
    owner.get(&edit).await.is(200).says("so the organization's is in force");
    let wrong = save(&owner, &[("agent_id", &agent), ("url", "http://10.0.0.1/")]).await;
    wrong.is(422).says("http://10.0.0.1/").says("Triage");
    let saved = save(&owner, &[("agent_id", &agent), ("url", URL), ("secret", SECRET)]).await;
    assert_eq!(saved.leads_to(), format!("{edit}?done=webhook-created"));
    owner.get(saved.leads_to()).await.says("overrides the organization").says(URL).says("Send a test");
    let id =
        app.api.get(&format!("/webhooks?agent_id={agent}")).await.is(200)["webhooks"][0]["id"].as_str().unwrap().to_owned();
    let off = owner.post(&format!("/webhooks/{id}/disable"), &[]).await;
    owner.get(off.leads_to()).await.says("Muted").says("delete it");
    let deleted = owner.post(&format!("/webhooks/{id}/delete"), &[]).await;
    owner.get(deleted.leads_to()).await.says("so the organization's is in force");
    save(&owner, &[("agent_id", crate::app::NOBODY), ("url", URL)]).await.is(404);
}

#[tokio::test]
async fn a_viewer_sees_it_without_what_changes_it() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let viewer = Browser::of(app.router(), &app.world, Role::Viewer).await;
    let page = viewer.get("/settings/webhooks").await;
    page.is(200).says(URL).does_not_say("action=\"/webhooks/").does_not_say("canary-of-secret");
}

#[tokio::test]
async fn another_organizations_webhook_is_a_missing_one() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let id = app.stranger().await.webhook(URL, None).await;
    for action in ["test", "enable", "disable", "rotate", "delete"] {
        owner.post(&format!("/webhooks/{id}/{action}"), &[]).await.is(404);
    }
    owner.get(&format!("/webhooks/{id}/delete")).await.is(404);
}
