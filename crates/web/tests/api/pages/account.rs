use preclinical_core::{
    member::{Member, Role},
    password::Password,
    port::Acceptance,
};

use super::{Browser, Shown};
use crate::app::TestApp;

const PATH: &str = "/settings/account";
const PASSWORD: &str = "correct horse battery";
const NEW: &str = "staple after battery";

/// A member whose password is known.
async fn ada(app: &TestApp) -> Member {
    let (token, _) = app.world.invite(preclinical_core::invitation::Purpose::Join(Role::Viewer)).await;
    let password = Password::parse(PASSWORD).unwrap().hash(&*app.world.chance);
    let acceptance = Acceptance { password, ..app.world.acceptance(&token, "ada@example.com") };
    app.world.store.accept_invitation(acceptance).await.unwrap()
}

async fn change(browser: &Browser, current: &str, new: &str) -> Shown {
    browser.post("/settings/account/password", &[("password", current), ("new-password", new)]).await
}

async fn sign_in(app: &TestApp, password: &str) -> Option<String> {
    let form = [("email", "ada@example.com"), ("password", password)];
    Browser::new(app.router()).post("/sign-in", &form).await.session().map(str::to_owned)
}

#[tokio::test]
async fn a_changed_password_is_in_force_and_ends_the_other_sessions() {
    let app = TestApp::new().await;
    let ada = ada(&app).await;
    let here = Browser::signed_in(app.router(), &app.world, &ada).await;
    let elsewhere = Browser::signed_in(app.router(), &app.world, &ada).await;
    here.get(PATH).await.is(200).says("ada@example.com").says("Viewer");
    let changed = change(&here, PASSWORD, NEW).await;
    here.get(changed.leads_to()).await.is(200).says("signed out everywhere else");
    assert!(elsewhere.get(PATH).await.leads_to().starts_with("/sign-in"));
    assert_eq!(sign_in(&app, PASSWORD).await, None);
    assert!(sign_in(&app, NEW).await.is_some());
}

#[tokio::test]
async fn without_the_current_password_nothing_changes() {
    let app = TestApp::new().await;
    let ada = ada(&app).await;
    let (here, elsewhere) =
        (Browser::signed_in(app.router(), &app.world, &ada).await, Browser::signed_in(app.router(), &app.world, &ada).await);
    change(&here, "wrong horse battery", NEW).await.is(422).says("not your current password").does_not_say(NEW);
    change(&here, "", NEW).await.is(422).says("not your current password");
    change(&here, PASSWORD, "short").await.is(422).says("Must have at least 12 characters").does_not_say(PASSWORD);
    elsewhere.get(PATH).await.is(200);
    assert!(sign_in(&app, PASSWORD).await.is_some());
}

#[tokio::test]
async fn whoever_guesses_the_current_password_has_to_wait() {
    let app = TestApp::new().await;
    let here = Browser::signed_in(app.router(), &app.world, &ada(&app).await).await;
    for _ in 0..8 {
        change(&here, "wrong horse battery", NEW).await.is(422).says("not your current password");
    }
    change(&here, PASSWORD, NEW).await.is(422).says("Too many wrong passwords");
    app.pass(5 * 60);
    change(&here, PASSWORD, NEW).await.leads_to();
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session() {
    let app = TestApp::new().await;
    let ada = ada(&app).await;
    let here = Browser::signed_in(app.router(), &app.world, &ada).await;
    let elsewhere = Browser::signed_in(app.router(), &app.world, &ada).await;
    here.get(PATH).await.says("action=\"/sign-out-everywhere\"");
    assert_eq!(here.post("/sign-out-everywhere", &[]).await.leads_to(), "/sign-in");
    for browser in [here, elsewhere] {
        assert!(browser.get(PATH).await.leads_to().starts_with("/sign-in"));
    }
}
