use preclinical_core::{invitation::Purpose, member::Role};

use super::{Browser, Shown};
use crate::app::TestApp;

const PASSWORD: &str = "correct horse battery";

async fn accept(browser: &Browser, path: &str, email: &str, password: &str) -> Shown {
    browser.post(path, &[("email", email), ("password", password)]).await
}

#[tokio::test]
async fn the_first_owner_sets_up_with_the_link_and_is_signed_in() {
    let app = TestApp::new().await;
    let (token, invitation) = app.world.invitation_value(Purpose::SetUp);
    assert!(app.world.store.invite_first_member(invitation).await.unwrap());
    let (mut browser, path) = (Browser::new(app.router()), format!("/join/{}", token.expose()));
    browser.get(&path).await.is(200).says("makes you the owner");
    let entered = accept(&browser, &path, "ada@example.com", PASSWORD).await;
    assert_eq!(entered.leads_to(), "/settings/webhooks");
    browser.session = Some(entered.session().unwrap().to_owned());
    browser.get("/settings/webhooks").await.is(200).says("ada@example.com").says("owner");
    browser.get(&path).await.is(404).says("used, withdrawn or has expired");
    accept(&browser, &path, "eve@example.com", PASSWORD).await.is(404);
}

#[tokio::test]
async fn an_invitation_ends_with_its_time() {
    let app = TestApp::new().await;
    let (token, _) = app.world.invite(Purpose::Join(Role::Member)).await;
    let (browser, path) = (Browser::new(app.router()), format!("/join/{}", token.expose()));
    app.pass(7 * 24 * 60 * 60);
    browser.get(&path).await.is(404);
    accept(&browser, &path, "ada@example.com", PASSWORD).await.is(404);
    browser.get("/join/nothing").await.is(404);
}

#[tokio::test]
async fn what_is_wrong_is_said_at_the_field_and_the_invitation_stays() {
    let app = TestApp::new().await;
    app.world.member("bob@example.com", Role::Viewer).await;
    let (token, _) = app.world.invite(Purpose::Join(Role::Viewer)).await;
    let (browser, path) = (Browser::new(app.router()), format!("/join/{}", token.expose()));
    accept(&browser, &path, "nonsense", PASSWORD).await.says("Must be an e-mail address").says("value=\"nonsense\"");
    accept(&browser, &path, "ada@example.com", "short").await.says("Must have at least 12 characters");
    accept(&browser, &path, "bob@example.com", PASSWORD).await.says("Somebody signs in with this address already");
    let hostile = accept(&browser, &path, "\"><script>alert(1)</script>", PASSWORD).await;
    hostile.says("&quot;&gt;&lt;script&gt;").does_not_say("<script>alert");
    accept(&browser, &path, "ada@example.com", PASSWORD).await.leads_to();
}

#[tokio::test]
async fn a_new_password_ends_every_session_and_lets_in() {
    let app = TestApp::new().await;
    let ada = app.world.member("ada@example.com", Role::Owner).await;
    let before = Browser::signed_in(app.router(), &app.world, &ada).await;
    let (token, _) = app.world.invite(Purpose::ResetPassword(ada.id)).await;
    let (browser, path) = (Browser::new(app.router()), format!("/join/{}", token.expose()));
    browser.get(&path).await.is(200).does_not_say("name=\"email\"");
    let entered = accept(&browser, &path, "", "another horse battery").await;
    assert!(entered.session().is_some());
    before.get("/settings/webhooks").await.leads_to();
    let fields = [("email", "ada@example.com"), ("password", "another horse battery")];
    assert!(browser.post("/sign-in", &fields).await.session().is_some());
}
