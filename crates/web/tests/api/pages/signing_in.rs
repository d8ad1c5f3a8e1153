use preclinical_core::{
    invitation::Purpose,
    member::{Member, Role},
    password::Password,
    port::Acceptance,
};
use tokio::task::JoinSet;

use super::{Browser, Shown};
use crate::app::TestApp;

const PASSWORD: &str = "correct horse battery";

async fn ada(app: &TestApp) -> Member {
    let (token, _) = app.world.invite(Purpose::Join(Role::Owner)).await;
    let password = Password::parse(PASSWORD).unwrap().hash(&*app.world.chance);
    let acceptance = Acceptance { password, ..app.world.acceptance(&token, "ada@example.com") };
    app.world.store.accept_invitation(acceptance).await.unwrap()
}

async fn sign_in(browser: &Browser, email: &str, password: &str, next: &str) -> Shown {
    browser.post("/sign-in", &[("email", email), ("password", password), ("next", next)]).await
}

#[tokio::test]
async fn a_member_signs_in_and_comes_back_to_the_page_that_was_asked_for() {
    let app = TestApp::new().await;
    ada(&app).await;
    let mut browser = Browser::new(app.router());
    let lead = browser.get("/settings/webhooks?done=saved").await;
    assert_eq!(lead.leads_to(), "/sign-in?next=%2Fsettings%2Fwebhooks%3Fdone%3Dsaved");
    let form = browser.get(lead.leads_to()).await;
    assert_eq!(form.is(200).field("next"), "/settings/webhooks?done=saved");
    let entered = sign_in(&browser, " ADA@example.com", PASSWORD, form.field("next")).await;
    assert_eq!(entered.leads_to(), "/settings/webhooks?done=saved");
    browser.session = Some(entered.session().unwrap().to_owned());
    browser.get("/settings/webhooks").await.is(200).says("ada@example.com");
}

#[tokio::test]
async fn whoever_is_not_a_member_learns_nothing_from_the_refusal() {
    let app = TestApp::new().await;
    ada(&app).await;
    let browser = Browser::new(app.router());
    let mut refusals = Vec::new();
    for (email, password) in
        [("ada@example.com", "wrong horse battery"), ("bob@example.com", PASSWORD), ("ada@example.com", "")]
    {
        let refusal = sign_in(&browser, email, password, "/").await;
        assert_eq!(refusal.session(), None);
        refusals.push(refusal.html.replace(email, "EMAIL"));
    }
    assert!(refusals[0].contains("The address or the password is wrong."));
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]));
}

#[tokio::test]
async fn guessing_is_slowed_down_for_the_right_password_too() {
    let app = TestApp::new().await;
    ada(&app).await;
    let browser = Browser::new(app.router());
    for _ in 0..8 {
        sign_in(&browser, "ada@example.com", "wrong horse battery", "/").await.says("is wrong");
    }
    let refused = sign_in(&browser, "ada@example.com", PASSWORD, "/").await;
    assert_eq!(refused.says("Too many wrong passwords").session(), None);
    app.pass(300);
    assert!(sign_in(&browser, "ada@example.com", PASSWORD, "/").await.session().is_some());
}

#[tokio::test]
async fn guessing_many_at_once_is_no_faster_than_one_by_one() {
    let app = TestApp::new().await;
    ada(&app).await;
    let browser = Browser::new(app.router());
    let mut guesses = JoinSet::new();
    for _ in 0..16 {
        let browser = browser.clone();
        guesses.spawn(async move { sign_in(&browser, "ada@example.com", "wrong horse battery", "/").await });
    }
    let answers = guesses.join_all().await;
    let checked = answers.iter().filter(|answer| answer.html.contains("is wrong")).count();
    assert_eq!(checked, 8);
}

#[tokio::test]
async fn signing_in_never_leads_to_another_host() {
    let app = TestApp::new().await;
    ada(&app).await;
    let browser = Browser::new(app.router());
    for next in ["//evil.example/", "https://evil.example/", "/\\evil.example"] {
        assert_eq!(sign_in(&browser, "ada@example.com", PASSWORD, next).await.leads_to(), "/", "{next}");
    }
}

#[tokio::test]
async fn a_session_that_was_there_before_is_not_taken_over() {
    let app = TestApp::new().await;
    ada(&app).await;
    let browser = Browser { session: Some("planted".to_owned()), ..Browser::new(app.router()) };
    let entered = sign_in(&browser, "ada@example.com", PASSWORD, "/").await;
    assert_ne!(entered.session().unwrap(), "planted");
    assert_eq!(browser.get("/settings/webhooks").await.leads_to(), "/sign-in?next=%2Fsettings%2Fwebhooks");
}

#[tokio::test]
async fn whoever_signs_out_is_out_here_or_everywhere() {
    let app = TestApp::new().await;
    let owner = Browser::of(app.router(), &app.world, Role::Owner).await;
    let left = owner.post("/sign-out", &[]).await;
    assert_eq!(left.leads_to(), "/sign-in");
    owner.get("/settings/webhooks").await.leads_to();

    let member = ada(&app).await;
    let mut browsers = Vec::new();
    for _ in 0..2 {
        browsers.push(Browser::signed_in(app.router(), &app.world, &member).await);
    }
    browsers[0].post("/sign-out-everywhere", &[]).await.leads_to();
    for browser in &browsers {
        assert!(browser.get("/settings/webhooks").await.leads_to().starts_with("/sign-in"));
    }
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let app = TestApp::new().await;
    let owner = Browser::of(app.router(), &app.world, Role::Owner).await;
    app.pass(7 * 24 * 60 * 60 - 1);
    owner.get("/settings/webhooks").await.is(200);
    app.pass(1);
    owner.get("/settings/webhooks").await.leads_to();
}
