use preclinical_core::{id::DeliveryId, member::Role, retry::NextStep};
use preclinical_testkit::world::answered;

use super::{Browser, NOBODY, owner, record};
use crate::app::{TestApp, URL};

/// An installation with deliveries that failed.
async fn failed(count: usize) -> TestApp {
    let app = TestApp::new().await;
    let agent = app.world.agent("Triage").await;
    app.world.webhook(URL, None).await;
    for _ in 0..count {
        let claimed = app.world.claimed(agent).await;
        record(&app, &claimed, answered(500), NextStep::Exhausted, [None, None]).await;
    }
    app
}

#[tokio::test]
async fn what_would_be_repeated_is_counted_before_anything_is_written() {
    let app = failed(3).await;
    let owner = owner(&app).await;
    owner.get("/deliveries/redeliver").await.is(200).says("3 deliveries to repeat").says("At most 8 of them");
    owner.get("/deliveries/redeliver?status=canceled&webhook_id=").await.says("Nothing to repeat").does_not_say("primary");
    owner.get(&format!("/deliveries/redeliver?webhook_id={NOBODY}")).await.says("Nothing to repeat");
    owner.get("/deliveries/redeliver?created_after=2026-01-30T10:31:00Z").await.says("Nothing to repeat");
    for wrong in ["status=pending", "created_after=yesterday", "other=1"] {
        owner.get(&format!("/deliveries/redeliver?{wrong}")).await.is(400);
    }
    assert_eq!(app.world.deliveries().await.len(), 3);
    owner.get("/deliveries/redeliveries").await.says("Nothing was repeated in bulk yet");
}

#[tokio::test]
async fn an_order_is_given_once_followed_and_stopped() {
    let app = failed(2).await;
    let owner = owner(&app).await;
    let offer = owner.get("/deliveries/redeliver").await;
    let fields = [("new", offer.field("new")), ("status", "failed")];
    let given = owner.post("/deliveries/redeliver", &fields).await;
    let path = given.leads_to().to_owned();
    assert_eq!(owner.post("/deliveries/redeliver", &fields).await.leads_to(), path);
    assert!(app.handoff.jobs() > 0, "the engine is told of it");
    owner.get(&path).await.is(200).says("Running").says("0 of 2 repeated, 0 skipped").says("data-live=").says("Stop");
    owner.get("/deliveries/redeliveries").await.says(&path).says("2 deliveries, failed").says("0 of 2");
    assert_eq!(owner.post(&format!("{path}/cancel"), &[]).await.leads_to(), path);
    owner.get(&path).await.says("It was stopped.").does_not_say("data-live=").does_not_say("/cancel\"");
    assert_eq!(owner.post(&format!("{path}/cancel"), &[]).await.leads_to(), path, "it has ended, and is shown");
}

#[tokio::test]
async fn what_was_skipped_is_told_with_its_reason() {
    let app = failed(2).await;
    let owner = owner(&app).await;
    let offer = owner.get("/deliveries/redeliver").await;
    let given = owner.post("/deliveries/redeliver", &[("new", offer.field("new"))]).await;
    let webhooks = app.api.get("/webhooks").await.is(200);
    app.api.delete(&format!("/webhooks/{}", webhooks["webhooks"][0]["id"].as_str().unwrap())).await;
    let job = given.leads_to().rsplit_once('/').unwrap().1.parse().unwrap();
    let new = (0..2).map(|_| DeliveryId::generate(app.world.now(), &*app.world.chance)).collect();
    app.world.store.advance_redelivery_job(job, new, app.world.now()).await.unwrap();
    owner.get(given.leads_to()).await.says("because their webhook was deleted").says("0 of 2 repeated, 2 skipped");
}

#[tokio::test]
async fn only_who_may_change_gives_and_stops_orders() {
    let app = failed(1).await;
    let owner = owner(&app).await;
    let given = owner.post("/deliveries/redeliver", &[]).await;
    let viewer = Browser::of(app.router(), &app.world, Role::Viewer).await;
    viewer.get("/deliveries/redeliver").await.is(403);
    viewer.post("/deliveries/redeliver", &[]).await.is(403);
    viewer.get(given.leads_to()).await.is(200).does_not_say("/cancel\"");
    viewer.post(&format!("{}/cancel", given.leads_to()), &[]).await.is(403);
    viewer.get("/deliveries/redeliveries").await.is(200).does_not_say("/deliveries/redeliver\"");
}

#[tokio::test]
async fn another_organizations_order_is_a_missing_one() {
    let app = failed(1).await;
    let owner = owner(&app).await;
    let stranger = app.stranger().await;
    let job = stranger.post("/webhooks/redeliveries", serde_json::json!({})).await.is(202);
    let path = format!("/deliveries/redeliveries/{}", job["id"].as_str().unwrap());
    owner.get(&path).await.is(404);
    owner.post(&format!("{path}/cancel"), &[]).await.is(404);
    owner.get("/deliveries/redeliveries").await.says("Nothing was repeated in bulk yet");
}
