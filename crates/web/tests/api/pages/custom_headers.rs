//! Custom headers in the form of a webhook.

use preclinical_core::{custom_header::MASK, member::Role};
use preclinical_testkit::world::header_pairs;
use serde_json::json;

use super::{Browser, Shown};
use crate::app::{TestApp, URL};

const CANARY: &str = "canary-of-header";

async fn owner(app: &TestApp) -> Browser {
    Browser::of(app.router(), &app.world, Role::Owner).await
}

/// Sends the form of the page with these fields in it.
async fn save(browser: &Browser, fields: &[(&str, &str)]) -> Shown {
    let page = browser.get("/settings/webhooks").await;
    let version = if page.html.contains("name=\"version\"") { page.field("version").to_owned() } else { String::new() };
    let form = [[("url", URL), ("version", version.as_str())].as_slice(), fields].concat();
    browser.post("/webhooks/save", &form).await
}

async fn sent(app: &TestApp) -> Vec<(String, String)> {
    let agent = app.api.agent(&format!("Agent {}", app.handoff.sent().len())).await;
    app.api.delivered(&agent).await;
    header_pairs(&app.handoff.sent().pop().unwrap().headers)
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

#[tokio::test]
async fn headers_are_added_changed_and_removed_without_their_values_being_shown() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    owner.get("/settings/webhooks").await.says("Other headers").does_not_say("Saved, hidden");
    let two =
        [("header-0-name", "X-Tenant"), ("header-0-value", CANARY), ("header-2-name", "X-Two"), ("header-2-value", " 2 ")];
    save(&owner, &[[("authorization", "none")].as_slice(), &two].concat()).await.leads_to();
    assert_eq!(sent(&app).await, pairs([("X-Tenant", CANARY), ("X-Two", "2")]));

    let page = owner.get("/settings/webhooks").await;
    page.says("value=\"X-Tenant\"").says("Saved, hidden").does_not_say(CANARY);
    assert_eq!(page.html.matches("type=\"checkbox\" value=\"yes\"").count(), 2, "a box to remove each");
    // As the page sends it: what is there keeps its value.
    let kept =
        [("authorization", "none"), ("header-0-name", "X-Tenant"), ("header-0-value", ""), ("header-1-name", "X-Two")];
    let changed = [kept.as_slice(), &[("header-1-value", "new"), ("header-2-name", ""), ("header-2-value", "")]].concat();
    save(&owner, &changed).await.leads_to();
    assert_eq!(sent(&app).await, pairs([("X-Tenant", CANARY), ("X-Two", "new")]));
    // A form that says nothing of them, as older pages sent it, leaves them alone.
    save(&owner, &[]).await.leads_to();
    assert_eq!(sent(&app).await, pairs([("X-Tenant", CANARY), ("X-Two", "new")]));
    let removed = [kept.as_slice(), &[("header-1-value", ""), ("header-1-remove", "yes")]].concat();
    save(&owner, &removed).await.leads_to();
    assert_eq!(sent(&app).await, pairs([("X-Tenant", CANARY)]));
    save(&owner, &[("authorization", "none"), ("header-0-name", ""), ("header-0-value", "")]).await.leads_to();
    assert_eq!(sent(&app).await, pairs([]));
}

#[tokio::test]
async fn an_authorization_is_made_of_a_token_or_of_a_name_and_a_password() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let authorization = |value: &str| pairs([("Authorization", value)]);
    let bearer = [("authorization", "bearer"), ("authorization_token", CANARY), ("authorization_user", "ignored")];
    save(&owner, &bearer).await.leads_to();
    assert_eq!(sent(&app).await, authorization(&format!("Bearer {CANARY}")));
    owner.get("/settings/webhooks").await.says("Keep the saved one").does_not_say(CANARY);
    save(&owner, &[("authorization", "keep"), ("header-0-name", "X-One"), ("header-0-value", "1")]).await.leads_to();
    assert_eq!(sent(&app).await, [authorization(&format!("Bearer {CANARY}")), pairs([("X-One", "1")])].concat());
    let basic = [("authorization", "basic"), ("authorization_user", "Aladdin"), ("authorization_password", "open sesame")];
    save(&owner, &basic).await.leads_to();
    assert_eq!(sent(&app).await, authorization("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    save(&owner, &[("authorization", "none")]).await.leads_to();
    assert_eq!(sent(&app).await, pairs([]));
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_its_row_and_no_value_comes_back() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    for (fields, id, said) in [
        (vec![("header-1-name", "Host"), ("header-1-value", CANARY)], "header-0-error", "It may not be set: it tells how"),
        (vec![("header-0-name", "<b>"), ("header-0-value", CANARY)], "header-0-error", "It must have a name of letters"),
        (vec![("header-0-name", "X-A"), ("header-0-value", "")], "header-0-error", "It has no stored value to keep"),
        (vec![("header-0-value", CANARY)], "headers-error", "It must not have an empty name"),
        (vec![("authorization", "bearer")], "authorization_token-error", "It is required"),
        (
            vec![("authorization", "bearer"), ("authorization_token", "Bearer x")],
            "authorization_token-error",
            "the token alone",
        ),
        (vec![("authorization", "basic"), ("authorization_user", "a:b")], "authorization_user-error", "a colon"),
        (vec![("authorization", "keep")], "authorization-error", "It has no stored value to keep"),
    ] {
        let form = [fields.as_slice(), &[("authorization", "none")]].concat();
        let shown = save(&owner, &form).await;
        shown.is(422).says(said).says("Nothing was saved yet").does_not_say(CANARY).does_not_say("<b>");
        assert!(shown.html.contains(&format!("id=\"{id}\"")), "{id}: {}", shown.html);
    }
    assert_eq!(app.api.get("/webhooks").await.is(200)["total"], 0);
}

#[tokio::test]
async fn a_value_that_was_typed_beside_a_mistake_has_to_be_typed_again() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    app.api.post("/webhooks", json!({"url": URL, "headers": {"X-Tenant": "old"}})).await.is(201);
    let typed = [("authorization", "none"), ("header-0-name", "X-Tenant"), ("header-0-value", CANARY)];
    let wrong = [typed.as_slice(), &[("header-1-name", "Host"), ("header-1-value", "x")]].concat();
    let shown = save(&owner, &wrong).await;
    shown.is(422).says("Type it again").says("name=\"header-0-again\"").does_not_say(CANARY);
    let again =
        [("authorization", "none"), ("header-0-name", "X-Tenant"), ("header-0-value", ""), ("header-0-again", "yes")];
    save(&owner, &again).await.is(422).says("It has to be typed again");
    assert_eq!(sent(&app).await, pairs([("X-Tenant", "old")]));
}

#[tokio::test]
async fn a_viewer_sees_names_and_no_values() {
    let app = TestApp::new().await;
    app.api.post("/webhooks", json!({"url": URL, "headers": {"X-Tenant": CANARY, "Authorization": CANARY}})).await.is(201);
    let viewer = Browser::of(app.router(), &app.world, Role::Viewer).await;
    let page = viewer.get("/settings/webhooks").await;
    page.is(200).says("X-Tenant, Authorization").does_not_say(CANARY).does_not_say(MASK);
}
