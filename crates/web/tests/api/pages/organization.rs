use preclinical_core::member::Role;

use super::Browser;
use crate::app::TestApp;

#[tokio::test]
async fn the_organization_and_what_is_in_force_is_shown_to_every_member() {
    let app = TestApp::new().await;
    let viewer = Browser::of(app.router(), &app.world, Role::Viewer).await;
    let page = viewer.get("/settings/organization").await;
    page.is(200).says("acme").says(&app.world.organization.to_string()).says(env!("CARGO_PKG_VERSION"));
    page.says("+ 30 min")
        .says("within 15 s")
        .says("https and http")
        .says("All but those of other protocols")
        .says("/test/{run id}");
    for name in [
        "PUBLIC_URL",
        "RETRY_SCHEDULE",
        "REQUEST_TIMEOUT",
        "HTTPS_ONLY",
        "ALLOW_CIDRS",
        "DENY_CIDRS",
        "ALLOW_PORTS",
        "PROXY_URL",
    ] {
        page.says(&format!("PRECLINICAL_{name}"));
    }
}

#[tokio::test]
async fn the_settings_begin_with_the_webhooks() {
    let app = TestApp::new().await;
    let viewer = Browser::of(app.router(), &app.world, Role::Viewer).await;
    assert_eq!(viewer.get("/settings").await.leads_to(), "/settings/webhooks");
    let page = viewer.get("/settings/organization").await;
    for path in ["/settings/webhooks", "/settings/api-keys", "/settings/members", "/settings/organization"] {
        page.says(&format!("href=\"{path}\""));
    }
}

#[tokio::test]
async fn a_page_says_what_was_done_in_words_of_its_own() {
    let app = TestApp::new().await;
    let viewer = Browser::of(app.router(), &app.world, Role::Viewer).await;
    for done in ["You%20have%20won", "%3Cscript%3E", ""] {
        let page = viewer.get(&format!("/settings/members?done={done}")).await;
        page.is(200).does_not_say("You have won").does_not_say("class=\"notice");
    }
    viewer.get("/settings/members?done=role").await.says("class=\"notice good\"");
}
