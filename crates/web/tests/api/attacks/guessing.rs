//! Guessing, and sessions that an attacker chose.

use axum::http::header;
use preclinical_core::{invitation::Purpose, member::Role, password::Password, port::Acceptance};

use crate::{
    app::TestApp,
    pages::{Browser, Shown},
};

const PASSWORD: &str = "correct horse battery";

/// Somebody who has a password.
async fn member(app: &TestApp, email: &str) {
    let (token, _) = app.world.invite(Purpose::Join(Role::Owner)).await;
    let password = Password::parse(PASSWORD).unwrap().hash(&*app.world.chance);
    let acceptance = Acceptance { password, ..app.world.acceptance(&token, email) };
    app.world.store.accept_invitation(acceptance).await.unwrap();
}

async fn sign_in(browser: &Browser, email: &str, password: &str) -> Shown {
    browser.post("/sign-in", &[("email", email), ("password", password)]).await
}

#[tokio::test]
async fn whoever_guesses_one_password_holds_nobody_else_up() {
    let app = TestApp::new().await;
    for email in ["ada@example.com", "bob@example.com"] {
        member(&app, email).await;
    }
    let browser = Browser::new(app.router());
    for _ in 0..9 {
        assert_eq!(sign_in(&browser, "ada@example.com", "wrong horse battery").await.session(), None);
    }
    sign_in(&browser, "ADA@example.com ", PASSWORD).await.says("Too many wrong passwords");
    assert!(sign_in(&browser, "bob@example.com", PASSWORD).await.session().is_some());
}

#[tokio::test]
async fn an_address_that_nobody_has_is_slowed_down_like_one_that_somebody_has() {
    let app = TestApp::new().await;
    member(&app, "ada@example.com").await;
    let browser = Browser::new(app.router());
    let mut told = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        let mut answers = Vec::new();
        for _ in 0..9 {
            let shown = sign_in(&browser, email, "wrong horse battery").await;
            answers.push((shown.status, shown.html.replace(email, "EMAIL")));
        }
        told.push(answers);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn keys_that_are_guessed_are_refused_alike_and_hold_nobody_up() {
    let app = TestApp::new().await;
    let real = app.api.authorization().to_owned();
    let before = app.database.rows();
    let mut refusals = Vec::new();
    for guess in 0..200 {
        // The real one but for its last character, its case, its prefix; and others.
        let guess = match guess % 4 {
            0 => format!("{}{}", &real[..real.len() - 1], if real.ends_with('x') { 'y' } else { 'x' }),
            1 => real[..real.len() - 1].to_owned(),
            2 => format!("{real}x"),
            _ => format!("Bearer sk_live_{guess:040}"),
        };
        refusals.push(app.presenting(Some(&guess)).get("/runs").await);
    }
    assert!(refusals.iter().all(|refusal| refusal.status == 401 && *refusal == refusals[0]));
    assert!(app.database.rows() == before);
    app.api.get("/runs").await.is(200);
}

#[tokio::test]
async fn a_session_that_was_planted_before_is_not_the_one_that_is_signed_in() {
    let app = TestApp::new().await;
    member(&app, "ada@example.com").await;
    let planted = "A".repeat(43);
    let browser = Browser { session: Some(planted.clone()), ..Browser::new(app.router()) };
    let entered = sign_in(&browser, "ada@example.com", PASSWORD).await;
    let given = entered.session().unwrap();
    assert_ne!(given, planted);
    let cookie = entered.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    browser.get("/runs").await.leads_to();
    // Each time another one, so that one that leaks once is no use the next time.
    let again = sign_in(&browser, "ada@example.com", PASSWORD).await;
    assert_ne!(again.session(), entered.session());
}

#[tokio::test]
async fn a_link_to_join_that_is_guessed_opens_nothing_and_one_that_was_used_no_more() {
    let app = TestApp::new().await;
    let (token, _) = app.world.invite(Purpose::Join(Role::Owner)).await;
    let browser = Browser::new(app.router());
    let path = format!("/join/{}", token.expose());
    let fields = [("email", "ada@example.com"), ("password", PASSWORD)];
    let near = format!("{}{}", &path[..path.len() - 1], if path.ends_with('A') { 'B' } else { 'A' });
    for guess in
        [near.as_str(), "/join/", "/join/%00", "/join/' OR 1=1".replace(' ', "%20").as_str(), &path[..path.len() - 1]]
    {
        assert!(matches!(browser.post(guess, &fields).await.status.as_u16(), 404 | 405), "{guess}");
    }
    assert!(browser.post(&path, &fields).await.session().is_some());
    let other = [("email", "bob@example.com"), ("password", PASSWORD)];
    browser.post(&path, &other).await.is(404);
}

#[tokio::test]
async fn links_are_made_of_the_address_that_the_operator_gave_whatever_host_is_asked() {
    let app = TestApp::new().await;
    let owner = Browser::of(app.router(), &app.world, Role::Owner).await;
    let form = format!("csrf={}&role=viewer", owner.csrf);
    let request = owner.request("POST", "/settings/members/invite").header(header::HOST, "evil.example");
    let request = request.header("x-forwarded-host", "evil.example").header("forwarded", "host=evil.example");
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let shown = owner.send(request.header("sec-fetch-site", "same-origin").body(form.into()).unwrap()).await;
    shown.is(200).says("https://app.example.com/join/").does_not_say("evil.example");
}
