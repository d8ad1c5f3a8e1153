use preclinical_core::{member::Role, retry::NextStep};
use preclinical_testkit::world::{answered, unreachable};
use serde_json::json;

use super::{Browser, HOSTILE, claimed, owner, path, record};
use crate::app::{NOBODY, TestApp, URL};

#[tokio::test]
async fn a_row_says_what_came_of_a_delivery_and_leads_to_it() {
    let app = TestApp::new().await;
    let (owner, claimed) = (owner(&app).await, claimed(&app, "Triage").await);
    let pending = owner.get("/deliveries").await;
    pending.is(200).says("TR-00001").says("Triage").says("hooks.example.com").says("Organization’s").says("Under way");
    record(&app, &claimed, answered(204), NextStep::Delivered, [None, None]).await;
    let row = owner.get("/deliveries").await;
    row.says("Delivered").says("<strong>204</strong>").says("12 ms").says(&format!("href=\"{}\"", path(&claimed)));
    row.says(&format!("id=\"delivery-{}\"", claimed.delivery_id)).says("data-live=\"/live/deliveries\"");
}

#[tokio::test]
async fn without_an_answer_the_row_says_so() {
    let app = TestApp::new().await;
    let (owner, claimed) = (owner(&app).await, claimed(&app, "Triage").await);
    record(&app, &claimed, unreachable(), NextStep::Exhausted, [None, None]).await;
    owner.get("/deliveries").await.says("Failed").says("No answer");
}

#[tokio::test]
async fn each_filter_narrows_what_is_shown_and_stays_in_the_form() {
    let app = TestApp::new().await;
    let (owner, claimed) = (owner(&app).await, claimed(&app, "Triage").await);
    let other = app.world.agent("Booking").await;
    let row = format!("id=\"delivery-{}\"", claimed.delivery_id);
    for (filter, is_found) in [
        ("status=pending".to_owned(), true),
        ("status=failed".to_owned(), false),
        ("q=TR-00001".to_owned(), true),
        ("q=tr-1".to_owned(), true),
        (format!("q=msg_{}", claimed.delivery_id), true),
        ("q=nothing+like+it".to_owned(), false),
        (format!("webhook_id={}", claimed.webhook_id), true),
        (format!("webhook_id={NOBODY}"), false),
        (format!("agent_id={other}"), false),
        ("within=1h".to_owned(), true),
        ("from=2026-01-30T10:30".to_owned(), true),
        ("from=2026-01-30T10:31".to_owned(), false),
        ("to=2026-01-30T10:30".to_owned(), false),
    ] {
        let shown = owner.get(&format!("/deliveries?{filter}")).await;
        assert_eq!(shown.is(200).html.contains(&row), is_found, "{filter}");
        shown.says("Clear filters");
    }
    owner.get("/deliveries?status=lost").await.is(400).says("must be one of pending, delivered, failed, canceled");
    owner.get("/deliveries?q=%22%3E%3Cscript%3E").await.is(200).does_not_say("\"><script>").says("&lt;script&gt;");
}

#[tokio::test]
async fn four_reasons_for_an_empty_history_are_told_apart() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    owner.get("/deliveries").await.says("There is no webhook yet").says("Set up a webhook");
    owner.get("/deliveries?status=failed").await.says("There is no webhook yet");
    let webhook = app.api.webhook(URL, None).await;
    owner.get("/deliveries").await.says("No run has ended yet").says("preclinical-webhooks report");
    app.api.put(&format!("/webhooks/{webhook}"), json!({"is_enabled": false})).await.is(200);
    owner.get("/deliveries").await.says("Nothing is sent").says("Every webhook is disabled");
    app.api.put(&format!("/webhooks/{webhook}"), json!({"is_enabled": true})).await.is(200);
    app.api.delivered(&app.api.agent("Triage").await).await;
    owner.get("/deliveries?status=failed").await.says("No delivery matches").says("Clear filters");
    let muted = app.api.agent("Muted").await;
    let own = app.api.webhook(URL, Some(&muted)).await;
    app.api.put(&format!("/webhooks/{own}"), json!({"is_enabled": false})).await.is(200);
    owner.get(&format!("/deliveries?agent_id={muted}")).await.says("Nothing is sent").says("mutes this agent");
    owner.get("/deliveries").await.does_not_say("Nothing is sent");
}

#[tokio::test]
async fn a_page_leads_to_the_older_ones_and_only_the_first_is_live() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let agent = app.world.agent("Triage").await;
    app.world.webhook(URL, None).await;
    for _ in 0..30 {
        app.world.claimed(agent).await;
        app.pass(1);
    }
    let first = owner.get("/deliveries?status=pending").await;
    assert_eq!(first.html.matches("<tr id=\"delivery-").count(), 25);
    first.says("data-live=\"/live/deliveries?status=pending\"").says("data-news=\"found-rows\"");
    let older = first.html.split_once("cursor=").unwrap().1.split_once('"').unwrap().0;
    let second = owner.get(&format!("/deliveries?status=pending&cursor={older}")).await;
    assert_eq!(second.html.matches("<tr id=\"delivery-").count(), 5);
    second.does_not_say("data-live=").says("Newest").says("These are the oldest");
    for row in second.html.split("<tr id=\"").skip(1).map(|row| row.split_once('"').unwrap().0) {
        first.does_not_say(row);
    }
    owner.get("/deliveries?cursor=other").await.is(400);
}

#[tokio::test]
async fn names_of_others_making_are_text_and_what_was_deleted_is_called_so() {
    let app = TestApp::new().await;
    let (owner, _) = (owner(&app).await, claimed(&app, HOSTILE).await);
    owner.get("/deliveries").await.is(200).does_not_say("<script>alert").does_not_say("<img src=x").says("&lt;script&gt;");
    let agents = app.api.get("/agents").await.is(200);
    app.api.delete(&format!("/agents/{}", agents["agents"][0]["id"].as_str().unwrap())).await;
    let webhooks = app.api.get("/webhooks").await.is(200);
    app.api.delete(&format!("/webhooks/{}", webhooks["webhooks"][0]["id"].as_str().unwrap())).await;
    owner.get("/deliveries").await.is(200).says("Deleted agent").says("Canceled").says(">Deleted<");
}

#[tokio::test]
async fn a_viewer_looks_without_being_offered_to_repeat() {
    let app = TestApp::new().await;
    let (owner, _) = (owner(&app).await, claimed(&app, "Triage").await);
    owner.get("/deliveries").await.says("Redeliver these");
    let viewer = Browser::of(app.router(), &app.world, Role::Viewer).await;
    viewer.get("/deliveries").await.is(200).says("TR-00001").does_not_say("Redeliver these");
}

#[tokio::test]
async fn another_organizations_deliveries_are_not_shown() {
    let app = TestApp::new().await;
    let (owner, stranger) = (owner(&app).await, app.stranger().await);
    stranger.webhook(URL, None).await;
    let delivery = stranger.delivered(&stranger.agent("Theirs").await).await;
    owner.get("/deliveries").await.says("There is no webhook yet").does_not_say("Theirs");
    owner.get(&format!("/deliveries?q={delivery}")).await.is(200).does_not_say("id=\"delivery-");
    owner.get(&format!("/deliveries/{delivery}")).await.is(404).does_not_say("Theirs");
    for action in ["redeliver", "cancel", "check-signature"] {
        owner.post(&format!("/deliveries/{delivery}/{action}"), &[("secret", "x")]).await.is(404);
    }
    assert_eq!(stranger.deliveries("").await.len(), 1);
}
