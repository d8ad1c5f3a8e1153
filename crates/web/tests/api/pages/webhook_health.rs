use preclinical_core::{health::DEFAULT_PATIENCE, id::RedeliveryJobId, member::Role, retry::NextStep};
use preclinical_testkit::world::answered;
use serde_json::json;

use super::Browser;
use crate::app::{TestApp, URL};

async fn of(app: &TestApp, role: Role) -> Browser {
    Browser::of(app.router(), &app.world, role).await
}

/// A delivery of a new run that ends so, a second later.
async fn ends(app: &TestApp, agent: &str, status: u16, next: NextStep) {
    app.api.delivered(agent).await;
    app.pass(1);
    let claimed = app.handoff.sent().pop().unwrap();
    app.world.store.record(app.world.record(&claimed, answered(status), next)).await.unwrap();
}

async fn gone(app: &TestApp, agent: &str) {
    ends(app, agent, 410, NextStep::Gone).await;
}

#[tokio::test]
async fn a_webhook_that_fails_says_so_and_what_will_come_of_it() {
    let app = TestApp::new().await;
    let owner = of(&app, Role::Owner).await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Triage").await;
    let retry = NextStep::RetryAt(app.world.now() + DEFAULT_PATIENCE.time);
    ends(&app, &agent, 503, retry).await;
    owner.get("/settings/webhooks").await.says("The last attempt failed.").says("Enabled").does_not_say("it is disabled.");
    ends(&app, &agent, 500, NextStep::Exhausted).await;
    let page = owner.get("/settings/webhooks").await;
    page.says("The last 2 attempts failed.").says("1 delivery has failed for good").says("</svg>Failing</span>");
    page.says("If nothing gets through for 5 days, and 10 deliveries have failed for good, it is disabled.");
    owner.get("/agents").await.says("Organization’s, failing");
}

#[tokio::test]
async fn a_webhook_that_was_disabled_automatically_is_told_of_wherever_somebody_looks() {
    let app = TestApp::new().await;
    let owner = of(&app, Role::Owner).await;
    let agent = app.api.agent("Nurse <b>").await;
    let webhook = app.api.webhook(URL, Some(&agent)).await;
    for page in ["/runs", "/settings/webhooks"] {
        owner.get(page).await.does_not_say("disabled automatically");
    }
    gone(&app, &agent).await;
    let at_agent = format!("/agents/{agent}/edit");
    for page in ["/runs", "/settings/webhooks"] {
        let said = "The webhook of Nurse &lt;b&gt;, because its receiver answered 410 Gone";
        owner.get(page).await.says(said).says(&format!("{at_agent}#webhook")).does_not_say("Nurse <b>");
    }
    let page = owner.get(&at_agent).await;
    page.says("This webhook was disabled automatically").says("Its receiver answered 410 Gone: nobody listens");
    page.says("Then replay what it missed: 1 delivery so far.").says("Enable it again").says("Enable the webhook first.");
    let viewer = of(&app, Role::Viewer).await;
    viewer.get(&at_agent).await.says("This webhook was disabled automatically").does_not_say("Enable it again");
    owner.get("/agents").await.says("Its own, disabled");

    let enabled = owner.post(&format!("/webhooks/{webhook}/enable"), &[]).await;
    owner.get(enabled.leads_to()).await.does_not_say("disabled automatically");
    for page in ["/runs", "/settings/webhooks"] {
        owner.get(page).await.does_not_say("disabled automatically");
    }
}

#[tokio::test]
async fn the_organizations_own_webhook_is_told_of_once_on_its_page() {
    let app = TestApp::new().await;
    let owner = of(&app, Role::Owner).await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Triage").await;
    for _ in 1..DEFAULT_PATIENCE.exhausted {
        ends(&app, &agent, 500, NextStep::Exhausted).await;
    }
    app.world.clock.turn(DEFAULT_PATIENCE.time);
    ends(&app, &agent, 500, NextStep::Exhausted).await;
    let page = owner.get("/settings/webhooks").await;
    page.says("10 attempts in a row, and 10 deliveries for good").does_not_say("See what to do");
    owner.get("/runs").await.says("The organization’s webhook, because it did nothing but fail").says("See what to do");
}

#[tokio::test]
async fn one_button_replays_what_was_missed() {
    let app = TestApp::new().await;
    let (owner, viewer) = (of(&app, Role::Owner).await, of(&app, Role::Viewer).await);
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Triage").await;
    owner.get("/settings/webhooks").await.does_not_say("Replay what was missed");
    gone(&app, &agent).await;
    app.pass(1);
    app.api.complete(&app.api.run(&agent, None).await).await;
    app.pass(1);
    let path = format!("/webhooks/{webhook}/replay");
    let early = owner.post(&path, &[]).await;
    assert_eq!(early.leads_to(), "/settings/webhooks", "first it must be enabled");
    owner.post(&format!("/webhooks/{webhook}/enable"), &[]).await.leads_to();
    viewer.get("/settings/webhooks").await.says("2 deliveries did not get through").does_not_say("newest_per_agent");
    let page = owner.get("/settings/webhooks").await;
    page.says("2 deliveries did not get through").says("Only the newest run of each agent");
    let new = page.field("new").to_owned();
    let replayed = owner.post(&path, &[("new", &new)]).await;
    assert_eq!(replayed.leads_to(), format!("/deliveries/redeliveries/{new}"));
    owner.get(replayed.leads_to()).await.is(200).says("Missed since").says("0 of 2 repeated");
    owner.get("/deliveries/redeliveries").await.says("2 deliveries, missed");
    let twice = owner.post(&path, &[("new", &new)]).await;
    assert_eq!(
        (twice.leads_to(), app.api.get("/webhooks/redeliveries").await.is(200)["total"].as_u64()),
        (replayed.leads_to(), Some(1))
    );
    owner.get("/settings/webhooks").await.does_not_say("Replay what was missed");
}

#[tokio::test]
async fn what_is_replayed_by_itself_is_chosen_in_the_form_of_either_level() {
    let app = TestApp::new().await;
    let (owner, viewer) = (of(&app, Role::Owner).await, of(&app, Role::Viewer).await);
    let agent = app.api.agent("Triage").await;
    for (page, agent_id) in [("/settings/webhooks".to_owned(), ""), (format!("/agents/{agent}/edit"), agent.as_str())] {
        let chosen = |wish: &str| format!(r#"<option value="{wish}" selected>"#);
        let label = r#"<label for="replay_on_recovery">Replay after a recovery</label>"#;
        owner.get(&page).await.says(label).says(&chosen("off")).says("once your receiver takes something");
        let typed = [("url", "nonsense"), ("agent_id", agent_id), ("replay_on_recovery", "all")];
        owner.post("/webhooks/save", &typed).await.is(422).says(&chosen("all"));
        owner
            .post("/webhooks/save", &[("url", URL), ("agent_id", agent_id), ("replay_on_recovery", "all")])
            .await
            .leads_to();
        owner.get(&page).await.says(&chosen("all")).does_not_say(&chosen("off"));
        viewer.get(&page).await.says("Everything that was missed").does_not_say("<option value=\"all\"");
        let of = |version| [("url", URL), ("agent_id", agent_id), ("version", version)];
        let wishes = |version, wish| [of(version).as_slice(), &[("replay_on_recovery", wish)]].concat();
        owner.post("/webhooks/save", &wishes("1", "newest_per_agent")).await.leads_to();
        owner.get(&page).await.says(&chosen("newest_per_agent"));
        owner.post("/webhooks/save", &wishes("2", "<b>")).await.is(422).says("must be one of off, all, newest_per_agent");
        owner.post("/webhooks/save", &of("2")).await.leads_to();
        owner.get(&page).await.says(&chosen("newest_per_agent"));
    }
}

#[tokio::test]
async fn a_page_says_that_what_was_missed_is_replayed_by_itself_and_that_nobody_ordered_it() {
    let app = TestApp::new().await;
    let owner = of(&app, Role::Owner).await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Triage").await;
    ends(&app, &agent, 500, NextStep::Exhausted).await;
    let by_itself = "That happens by itself once the receiver takes something.";
    owner.get("/settings/webhooks").await.says("1 delivery did not get through").does_not_say(by_itself);
    app.api.put(&format!("/webhooks/{webhook}"), json!({"replay_on_recovery": "all"})).await.is(200);
    owner.get("/settings/webhooks").await.says("1 delivery did not get through").says(by_itself);
    ends(&app, &agent, 200, NextStep::Delivered).await;
    let id = RedeliveryJobId::generate(app.world.now(), &*app.world.chance);
    app.world.store.replay_recovered(vec![id], app.world.now()).await.unwrap();
    owner.get(&format!("/deliveries/redeliveries/{id}")).await.is(200).says("Nobody: the webhook has recovered");
    owner.get("/settings/webhooks").await.does_not_say("Replay what was missed");
}

#[tokio::test]
async fn news_of_a_disabled_webhook_is_a_delivery_like_every_other() {
    let app = TestApp::new().await;
    let owner = of(&app, Role::Owner).await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Nurse").await;
    app.api.webhook("https://own.example.com", Some(&agent)).await;
    gone(&app, &agent).await;
    let id = app.api.deliveries("status=pending").await[0]["id"].as_str().unwrap().to_owned();
    owner.get("/deliveries").await.says("Webhook disabled");
    owner.get(&format!("/deliveries/{id}")).await.is(200).says("webhook_disabled");
}
