use preclinical_core::{delivery::Claimed, retry::NextStep};
use preclinical_testkit::world::{answered, message};

use super::{Browser, Shown, claimed, owner, path, record, request, secrets};
use crate::app::TestApp;

const SECRET: &str = "whsec_Y2FuYXJ5LW9mLXRoZS1jaGVjaw==";

/// A delivery whose attempts were signed with these secrets.
async fn signed(app: &TestApp, with: &[&str]) -> (Claimed, String) {
    let claimed = Claimed { secrets: secrets(with), ..claimed(app, "Triage").await };
    let request = request(app, &claimed);
    let body = String::from_utf8(request.body.to_vec()).unwrap();
    record(app, &claimed, answered(401), NextStep::Exhausted, [Some(request), None]).await;
    (claimed, body)
}

async fn check(browser: &Browser, claimed: &Claimed, secret: &str, body: &str) -> Shown {
    browser.post(&format!("{}/check-signature", path(claimed)), &[("secret", secret), ("body", body)]).await
}

#[tokio::test]
async fn a_secret_is_judged_and_never_shown_again() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let (claimed, _) = signed(&app, &[SECRET, "the-old-canary"]).await;
    for (given, said) in [
        (SECRET, "The secret is right."),
        ("the-old-canary", "This is the secret before the current one."),
        ("some-other-canary", "signed with another secret"),
        (&format!(" {SECRET}\n"), "white space around the secret"),
        (&SECRET["whsec_".len()..], "begins with whsec_, which is missing"),
        ("canary-of-the-check", "Use the whole text with its whsec_"),
    ] {
        let shown = check(&owner, &claimed, given, "").await;
        shown.is(200).says(said).does_not_say(given.trim()).does_not_say(SECRET);
    }
    let stored = format!("{:?}", app.database.rows());
    assert!(!stored.contains("canary-of-the-check") && !stored.contains("some-other-canary"));
}

#[tokio::test]
async fn a_body_is_compared_with_the_one_that_was_sent() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let (claimed, body) = signed(&app, &[SECRET]).await;
    let anew = body.replace("\":", "\": ");
    let other = body.replace("Triage", "Tri<b>ge");
    for (received, said) in [
        (body.as_str(), "byte by byte"),
        (&format!("{body}\r\n"), "White space was added or removed"),
        (&anew, "the same JSON, but written anew"),
        (&body[..40], "cut off after 40 bytes"),
        (&other, "Tri&lt;b&gt;ge"),
    ] {
        check(&owner, &claimed, SECRET, received).await.is(200).says("The secret is right.").says(said).does_not_say("<b>");
    }
}

#[tokio::test]
async fn a_form_changes_line_breaks_and_is_not_believed_about_them() {
    let app = TestApp::new().await;
    let (owner, claimed) = (owner(&app).await, claimed(&app, "Triage").await);
    record(&app, &claimed, answered(401), NextStep::Exhausted, [Some(message(&[], b"{\n}")), None]).await;
    check(&owner, &claimed, "anything", "{\r\n}").await.is(200).says("byte by byte");
}

#[tokio::test]
async fn what_was_not_signed_and_what_is_missing_is_said() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let (claimed, _) = signed(&app, &[]).await;
    check(&owner, &claimed, "anything", "").await.is(200).says("This request was not signed").says("Not sent");
    check(&owner, &claimed, "", "").await.is(422).says("Paste the secret").says("aria-invalid=\"true\"");
}

#[tokio::test]
async fn without_a_request_there_is_nothing_to_check() {
    let app = TestApp::new().await;
    let (owner, claimed) = (owner(&app).await, claimed(&app, "Triage").await);
    owner.get(&path(&claimed)).await.says("No request was kept yet.").does_not_say("/check-signature");
    check(&owner, &claimed, "anything", "").await.is(200).says("No request was kept yet.");
}
