//! URLs that must never be called are refused where they come in, by the API and by the pages.

use preclinical_core::member::Role;
use preclinical_testkit::attack::URLS;
use serde_json::json;

use crate::{
    app::{TestApp, URL},
    pages::Browser,
};

#[tokio::test]
async fn the_api_saves_none_and_names_the_field() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let path = format!("/webhooks/{}", app.api.webhook(URL, None).await);
    let before = app.database.rows();
    for attack in URLS {
        app.pass(1);
        for agent in [json!(null), json!(agent)] {
            let created = app.api.post("/webhooks", json!({"url": attack.url, "agent_id": agent})).await;
            created.refuses_field("INVALID_FIELD_VALUE", "url");
        }
        app.api.put(&path, json!({"url": attack.url})).await.refuses_field("INVALID_FIELD_VALUE", "url");
        assert_eq!(app.database.rows(), before, "{}", attack.name);
    }
}

#[tokio::test]
async fn the_pages_save_none_and_say_so_before() {
    let app = TestApp::new().await;
    let owner = Browser::of(app.router(), &app.world, Role::Owner).await;
    for attack in URLS {
        app.pass(1);
        let shown = owner.post("/webhooks/save", &[("url", attack.url)]).await;
        shown.is(422).says("aria-invalid=\"true\"").does_not_say("<script>alert");
        owner.post("/webhooks/check-url", &[("url", attack.url)]).await.is(200).says("data-valid=\"false\"");
    }
    assert_eq!(app.api.get("/webhooks").await.is(200)["total"], 0);
}
