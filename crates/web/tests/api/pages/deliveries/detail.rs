use jiff::SignedDuration;
use preclinical_core::{
    attempt::{AttemptError, ErrorKind, Outcome},
    custom_header::MASK,
    member::Role,
    retry::NextStep,
    webhook::WebhookChanges,
};
use preclinical_testkit::world::{answered, message, unreachable, wanted};

use super::{Browser, HOSTILE, NOBODY, claimed, owner, path, record, request};
use crate::app::TestApp;

#[tokio::test]
async fn the_time_line_goes_from_the_run_to_the_end() {
    let app = TestApp::new().await;
    let (owner, first) = (owner(&app).await, claimed(&app, "Triage").await);
    let path = path(&first);
    owner
        .get(&path)
        .await
        .is(200)
        .says("Run completed")
        .says("Accepted")
        .says("The request is under way.")
        .says("data-live=");
    let retry_at = app.world.now().checked_add(SignedDuration::from_secs(60)).unwrap();
    record(&app, &first, unreachable(), NextStep::RetryAt(retry_at), [Some(request(&app, &first)), None]).await;
    let waiting = owner.get(&path).await;
    waiting.says("The connection was refused").says("Next attempt").says("data-time=\"countdown\"").says("None came.");
    app.pass(60);
    let second = app.world.store.claim_due(app.world.now(), app.world.leases(1)).await.unwrap().pop().unwrap();
    let answer = message(&[("content-type", "application/json")], br#"{"ok":true}"#);
    record(&app, &second, answered(200), NextStep::Delivered, [Some(request(&app, &second)), Some(answer)]).await;
    let done = owner.get(&path).await;
    done.says("Attempt 1").says("Attempt 2").says("after a wait of").says("The receiver has it.").does_not_say("data-live=");
    done.says("id=\"attempt-2\" open").says("&quot;ok&quot;: true").says("x-preclinical-signature");
    done.says(&format!("msg_{}", first.delivery_id)).says("--data-raw").does_not_say("s3cret");
}

#[tokio::test]
async fn what_a_receiver_sends_stays_text_and_hides_nothing() {
    let app = TestApp::new().await;
    let (owner, first) = (owner(&app).await, claimed(&app, HOSTILE).await);
    let body = format!("{HOSTILE}\0\u{1b}\u{202e}{}", "x".repeat(2000));
    let answer = message(&[("content-type", "text/html"), ("x-evil", HOSTILE), ("x-\u{1b}", "a\nb")], body.as_bytes());
    let error = AttemptError { kind: ErrorKind::Tls, message: HOSTILE.to_owned() };
    let retry_at = app.world.now();
    record(&app, &first, Outcome::Failed(error), NextStep::RetryAt(retry_at), [Some(request(&app, &first)), None]).await;
    let second = app.world.store.claim_due(app.world.now(), app.world.leases(1)).await.unwrap().pop().unwrap();
    record(&app, &second, answered(502), NextStep::Exhausted, [Some(request(&app, &second)), Some(answer)]).await;
    let shown = owner.get(&path(&first)).await;
    shown.is(200).does_not_say("<script>alert").does_not_say("<img src=x").does_not_say("\0").does_not_say("\u{202e}");
    shown.says("␀␛⟨U+202E⟩").says("a␊b").says("The answer is a web page");
}

#[tokio::test]
async fn a_body_that_is_no_text_is_shown_byte_by_byte_and_one_that_was_cut_off_says_so() {
    let app = TestApp::new().await;
    let (owner, first) = (owner(&app).await, claimed(&app, "Triage").await);
    let bytes = message(&[], b"\xff\xfe\x00<b>");
    let answer = preclinical_core::attempt::Message { truncated: true, size_bytes: 70_000, ..bytes };
    record(&app, &first, answered(500), NextStep::Exhausted, [Some(request(&app, &first)), Some(answer)]).await;
    let shown = owner.get(&path(&first)).await;
    shown.says("ff fe 00 3c 62 3e").says("not text in UTF-8").says("68.3 KiB").says("or more").says("Without headers.");
}

#[tokio::test]
async fn a_delivery_is_repeated_once_however_often_its_form_is_sent() {
    let app = TestApp::new().await;
    let (owner, first) = (owner(&app).await, claimed(&app, "Triage").await);
    record(&app, &first, answered(500), NextStep::Exhausted, [Some(request(&app, &first)), None]).await;
    let (path, page) = (path(&first), owner.get(&path(&first)).await);
    let fields = [("new", page.field("new"))];
    let again = owner.post(&format!("{path}/redeliver"), &fields).await;
    let new = again.leads_to().to_owned();
    assert_eq!(owner.post(&format!("{path}/redeliver"), &fields).await.leads_to(), new);
    let shown = owner.get(&new).await;
    shown.is(200).says("This is the new delivery.").says("Repeated").says(&format!("href=\"{path}\""));
    let id = new.strip_prefix("/deliveries/").unwrap().split_once('?').unwrap().0;
    owner.get(&path).await.says("Repeated by").says(id);
    assert_eq!((app.world.deliveries().await.len(), app.handoff.sent().len()), (2, 1), "it is sent at once");
}

#[tokio::test]
async fn a_pending_delivery_is_canceled_and_one_that_has_ended_is_not() {
    let app = TestApp::new().await;
    let (owner, first) = (owner(&app).await, claimed(&app, "Triage").await);
    let cancel = format!("{}/cancel", path(&first));
    owner.get(&path(&first)).await.says(&cancel);
    let canceled = owner.post(&cancel, &[]).await;
    let under_way = owner.get(canceled.leads_to()).await;
    under_way.says("The one under way is not cut off").says("Canceled").says("data-live=").does_not_say(&cancel);
    record(&app, &first, answered(500), NextStep::Exhausted, [None, None]).await;
    owner.get(&path(&first)).await.says("somebody canceled it").does_not_say("data-live=");
    owner.post(&cancel, &[]).await.is(422).says("The delivery is already canceled.");
}

#[tokio::test]
async fn what_cannot_be_repeated_says_why() {
    let app = TestApp::new().await;
    let (owner, first) = (owner(&app).await, claimed(&app, "Triage").await);
    record(&app, &first, answered(410), NextStep::Gone, [None, None]).await;
    let redeliver = format!("{}/redeliver", path(&first));
    owner.get(&path(&first)).await.says("is disabled: enable it").says("said that it is gone").does_not_say(&redeliver);
    owner.post(&redeliver, &[]).await.is(422).says("Its webhook is disabled.");
    app.api.delete(&format!("/webhooks/{}", first.webhook_id)).await;
    owner.get(&path(&first)).await.says("was deleted, so it cannot be repeated").says("Deleted since");
    owner.post(&redeliver, &[]).await.is(422).says("Its webhook was deleted.");
    assert_eq!(app.world.deliveries().await.len(), 1);
}

#[tokio::test]
async fn a_viewer_sees_everything_and_changes_nothing() {
    let app = TestApp::new().await;
    let first = claimed(&app, "Triage").await;
    let viewer = Browser::of(app.router(), &app.world, Role::Viewer).await;
    let shown = viewer.get(&path(&first)).await;
    shown.is(200).says("What happened").does_not_say("/redeliver\"").does_not_say("/cancel\"");
    for action in ["redeliver", "cancel"] {
        viewer.post(&format!("{}/{action}", path(&first)), &[]).await.is(403);
    }
}

#[tokio::test]
async fn what_is_no_delivery_is_not_found() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    for id in [NOBODY, "x", "%00", "TR-00001"] {
        owner.get(&format!("/deliveries/{id}")).await.is(404).says("There is nothing here");
        owner.post(&format!("/deliveries/{id}/redeliver"), &[]).await.is(404);
    }
}

#[tokio::test]
async fn a_test_is_called_one() {
    let app = TestApp::new().await;
    let owner = owner(&app).await;
    let webhook = app.world.webhook(crate::app::URL, None).await;
    let claimed = app.world.enqueue_test(webhook).await.unwrap();
    owner.get("/deliveries").await.says(">Test<");
    owner.get(&path(&claimed)).await.is(200).says("Delivery of a test").says("Test sent by hand");
}

#[tokio::test]
async fn values_of_custom_headers_are_masked_and_the_command_says_that_they_are_missing() {
    let app = TestApp::new().await;
    let (owner, first) = (owner(&app).await, claimed(&app, "Triage").await);
    let without = [Some(request(&app, &first)), None];
    record(&app, &first, answered(500), NextStep::RetryAt(app.world.now()), without).await;
    owner.get(&path(&first)).await.does_not_say(MASK).does_not_say("Put in the values");
    let headers = Some(vec![wanted("X-Tenant", Some("canary-of-header"))]);
    let changes = WebhookChanges { headers, ..WebhookChanges::default() };
    app.world.store.update_webhook(app.world.organization, first.webhook_id, changes, app.world.now()).await.unwrap();
    let second = app.world.store.claim_due(app.world.now(), app.world.leases(1)).await.unwrap().pop().unwrap();
    record(&app, &second, answered(200), NextStep::Delivered, [Some(request(&app, &second)), None]).await;
    let shown = owner.get(&path(&first)).await;
    shown.says(&format!("x-tenant: {MASK}")).says("Put in the values").does_not_say("canary-of-header");
    let told = app.api.get(&format!("/webhooks/deliveries/{}", first.delivery_id)).await.is(200);
    assert_eq!(told["attempts"][1]["request"]["headers"]["x-tenant"], MASK);
}
