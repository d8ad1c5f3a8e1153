use preclinical_core::member::Role;
use serde_json::json;

use super::{Browser, Shown};
use crate::app::{NOBODY, TestApp};

const LIST: &str = "/settings/api-keys";
const NEW: &str = "/settings/api-keys/new";
const HOSTILE: &str = "\"><script>alert(1)</script>";

async fn owner(app: &TestApp) -> Browser {
    Browser::of(app.router(), &app.world, Role::Owner).await
}

fn key(shown: &Shown) -> String {
    shown.html.split_once("id=\"key\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
}

async fn id_of(app: &TestApp, name: &str) -> String {
    let keys = app.api.get("/api-keys").await.is(200);
    let key = keys["api_keys"].as_array().unwrap().iter().find(|key| key["name"] == name).unwrap().clone();
    key["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_shown_once_and_works_as_it_was_described() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let created = owner.post(NEW, &[("name", "Nightly"), ("scope", "report"), ("expires", "30")]).await;
    created.is(200).says("only one that shows it").says("curl https://");
    let key = key(&created);
    owner.get(LIST).await.is(200).says("Nightly").says("Report").does_not_say(&key);
    let runner = app.presenting(Some(&format!("Bearer {key}")));
    runner.get("/agents").await.is(200);
    runner.get("/webhooks").await.is(403);
    app.pass(30 * 24 * 60 * 60);
    runner.get("/agents").await.is(401);
}

#[tokio::test]
async fn a_key_ends_never_after_so_many_days_or_with_a_day() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let today = app.world.now();
    for (name, expires, day, expected) in [
        ("a", "never", "2031-01-01", None),
        ("b", "90", "", Some((today + jiff::SignedDuration::from_hours(90 * 24)).to_string())),
        ("c", "date", "2097-01-31", Some("2097-02-01T00:00:00Z".to_owned())),
    ] {
        owner.post(NEW, &[("name", name), ("scope", "read"), ("expires", expires), ("expires_at", day)]).await.is(200);
        let keys = app.api.get("/api-keys").await.is(200);
        let stored =
            keys["api_keys"].as_array().unwrap().iter().find(|key| key["name"] == name).unwrap()["expires_at"].clone();
        let seconds = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
        assert_eq!(stored.as_str().map(seconds), expected.as_deref().map(seconds), "{name}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_at_the_field_and_no_key_is_made() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let before = app.api.get("/api-keys").await.is(200)["total"].clone();
    let long = "x".repeat(201);
    for (fields, says) in [
        (&[("name", ""), ("scope", "read")][..], "It is required."),
        (&[("name", &long), ("scope", "read")], "It must be at most 200 characters long."),
        (&[("name", "tests"), ("scope", "read")], "There is a key of that name that is not revoked."),
        (&[("name", "x"), ("scope", "admin")], "Scope must be one of read, report, write."),
        (&[("name", "x"), ("expires", "date"), ("expires_at", "2020-01-01")], "It must lie in the future."),
        (&[("name", "x"), ("expires", "date"), ("expires_at", "soon")], "It must be a day such as 2027-01-31."),
        (&[("name", "x"), ("expires", "9999999999999999999")], "It must be a day such as 2027-01-31."),
        (&[("name", "x"), ("expires", "9223372036854775807")], "It must be a day such as 2027-01-31."),
    ] {
        owner.post(NEW, fields).await.is(422).says(says).does_not_say("sk_live_");
    }
    owner
        .post(NEW, &[("name", HOSTILE), ("expires", "date"), ("expires_at", HOSTILE)])
        .await
        .is(422)
        .does_not_say("<script>a");
    assert_eq!(app.api.get("/api-keys").await.is(200)["total"], before);
}

#[tokio::test]
async fn a_revoked_key_is_refused_and_folded_away() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let text = key(&owner.post(NEW, &[("name", HOSTILE), ("scope", "write"), ("expires", "never")]).await);
    owner.get(LIST).await.says("&lt;script&gt;").does_not_say("<script>a").does_not_say("Expired and revoked");
    let path = format!("{LIST}/{}/revoke", id_of(&app, HOSTILE).await);
    let question = owner.get(&path).await;
    question.is(200).says("Revoke this key?").says("&lt;script&gt;").says("401").does_not_say("<script>a");
    app.presenting(Some(&format!("Bearer {text}"))).get("/agents").await.is(200);
    let revoked = owner.post(&path, &[]).await;
    owner.get(revoked.leads_to()).await.says("The key is revoked").says("Expired and revoked (1)");
    app.presenting(Some(&format!("Bearer {text}"))).get("/agents").await.is(401);
    assert_eq!(owner.get(&path).await.leads_to(), LIST, "there is nothing left to ask");
}

#[tokio::test]
async fn an_expired_key_is_folded_away_and_one_that_ends_soon_says_so() {
    let app = TestApp::new().await;
    let viewer = Browser::of(app.router(), &app.world, Role::Viewer).await;
    let end = (app.world.now() + jiff::SignedDuration::from_hours(48)).to_string();
    app.api.post("/api-keys", json!({"name": "brief", "expires_at": end})).await.is(201);
    viewer.get(LIST).await.says("Expires soon").does_not_say("Expired and revoked");
    app.pass(48 * 60 * 60);
    viewer.get(LIST).await.does_not_say("Expires soon").says("Expired and revoked (1)");
}

#[tokio::test]
async fn keys_of_others_are_not_there() {
    let app = TestApp::new().await;
    let (owner, stranger) = (owner(&app).await, app.stranger().await);
    let id = stranger.post("/api-keys", json!({"name": "theirs"})).await.is(201)["id"].as_str().unwrap().to_owned();
    owner.get(LIST).await.does_not_say("theirs");
    for id in [id.as_str(), NOBODY, "nonsense"] {
        let path = format!("{LIST}/{id}/revoke");
        owner.get(&path).await.is(404).says("no such API key");
        owner.post(&path, &[]).await.is(404);
    }
    stranger.get("/agents").await.is(200);
}

#[tokio::test]
async fn a_viewer_looks_at_keys_and_is_offered_nothing_more() {
    let app = TestApp::new().await;
    let viewer = Browser::of(app.router(), &app.world, Role::Viewer).await;
    viewer.get(LIST).await.is(200).says("tests").does_not_say("/revoke").does_not_say(NEW);
    let path = format!("/api-keys/{}", id_of(&app, "tests").await);
    assert_eq!(app.api.delete(&path).await.status, 204);
    viewer.get(LIST).await.says("No key is in force").says("Nobody has created one");
}

#[tokio::test]
async fn the_list_holds_more_keys_than_the_store_gives_at_once() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let mut ids = Vec::new();
    for number in 0..104 {
        app.pass(1);
        let created = app.api.post("/api-keys", json!({"name": format!("key {number:03}")})).await.is(201);
        ids.push(created["id"].as_str().unwrap().to_owned());
    }
    owner.get(LIST).await.says("key 000").says("key 103");
    owner.get(&format!("{LIST}/{}/revoke", ids[0])).await.is(200).says("key 000");
}
