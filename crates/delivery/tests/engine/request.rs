//! What goes out.

use jiff::SignedDuration;
use preclinical_core::{
    attempt::Attempt,
    delivery::DeliveryStatus,
    request::{USER_AGENT, message_id},
    secret::SigningSecret,
    signature::{verify_preclinical, verify_standard},
    webhook::WebhookChanges,
};
use preclinical_testkit::receiver::{Gate, Reaction, Receiver, Seen, answer_bytes};

use crate::rig::Rig;

fn is_signed_with(secret: &str, seen: &Seen) -> bool {
    let secret = SigningSecret::parse(secret).unwrap();
    let header = |name| seen.header(name).unwrap();
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    verify_preclinical(&secret, &seen.body, header("x-preclinical-signature"))
        && verify_standard(&secret, id, timestamp, &seen.body, header("webhook-signature"))
}

#[tokio::test]
async fn a_delivery_goes_out_at_once_without_a_tick() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    rig.point_to(&receiver.url()).await;
    let (id, sent) = rig.send().await;
    assert_eq!(receiver.next().await.header("x-preclinical-delivery"), Some(id.to_string().as_str()));
    let summary = sent.await.unwrap();
    assert_eq!((summary.delivered, summary.http_status, summary.error), (true, Some(200), None));
    assert_eq!(rig.status(id).await, DeliveryStatus::Delivered);
}

#[tokio::test]
async fn an_attempt_is_on_record_as_started_before_the_receiver_hears_of_it() {
    let gate = Gate::closed();
    let reaction = Reaction::BytesAfter(gate.clone(), answer_bytes(200, "", b""));
    let (rig, receiver) = (Rig::new().await, Receiver::start([reaction.clone(), reaction]).await);
    rig.point_to(&receiver.url()).await;
    let (handed_over, sent) = rig.send().await;
    let claimed = rig.write_due().await;
    rig.engine.tick().await.unwrap();
    let started_at = Some(rig.world.now());
    rig.world.clock.turn(SignedDuration::from_secs(1));
    for _ in 0..2 {
        receiver.next().await;
    }
    for id in [handed_over, claimed] {
        let attempts = rig.attempts(id).await;
        let under_way = |attempt: &Attempt| attempt.duration_ms.is_none() && attempt.error.is_none();
        assert!(attempts.len() == 1 && under_way(&attempts[0]), "{attempts:?}");
        assert_eq!((attempts[0].number, Some(attempts[0].started_at)), (1, started_at));
        assert_eq!(rig.status(id).await, DeliveryStatus::Pending);
    }
    gate.open();
    sent.await.unwrap();
    assert!(rig.attempts(handed_over).await[0].duration_ms.is_some());
}

#[tokio::test]
async fn the_history_keeps_the_very_bytes_and_headers_that_arrived() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    let attempt = rig.attempt_to(&receiver.url()).await;
    let (seen, request) = (receiver.next().await, attempt.request.unwrap());
    assert_eq!(request.body, seen.body);
    assert_eq!((request.size_bytes, request.truncated), (seen.body.len() as u64, false));
    let kept = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    assert_eq!(kept.collect::<Vec<_>>(), seen.headers().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_headers_are_the_documented_ones_and_no_others() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    rig.point_to(&receiver.url()).await;
    let (id, _) = rig.deliver().await;
    let seen = receiver.next().await;
    assert_eq!(seen.head.lines().next(), Some("POST /webhook HTTP/1.1"));
    for (name, value) in [
        ("content-type", "application/json"),
        ("user-agent", USER_AGENT),
        ("x-preclinical-event", "test_run_completed"),
        ("x-preclinical-delivery", &id.to_string()),
        ("webhook-id", &message_id(id)),
        ("webhook-timestamp", &rig.world.now().as_second().to_string()),
        ("host", &receiver.address.to_string()),
        ("content-length", &seen.body.len().to_string()),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
    let mut names: Vec<&str> = seen.headers().map(|(name, _)| name).collect();
    names.sort_unstable();
    let documented = [
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
        "x-preclinical-delivery",
        "x-preclinical-event",
        "x-preclinical-signature",
    ];
    assert_eq!(names, documented);
}

#[tokio::test]
async fn both_signatures_are_those_of_the_bytes_that_arrived() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    rig.attempt_to(&receiver.url()).await;
    let seen = receiver.next().await;
    assert!(is_signed_with("s3cret", &seen));
    assert!(!is_signed_with("other", &seen));
}

#[tokio::test]
async fn without_a_secret_nothing_is_signed() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    let changes = WebhookChanges { secret: Some(None), ..WebhookChanges::default() };
    rig.world.store.update_webhook(rig.world.organization, rig.webhook, changes, rig.world.now()).await.unwrap();
    rig.attempt_to(&receiver.url()).await;
    let seen = receiver.next().await;
    assert_eq!((seen.header("x-preclinical-signature"), seen.header("webhook-signature")), (None, None));
}

#[tokio::test]
async fn a_retry_has_the_same_ids_and_its_own_time_and_signature() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([Reaction::status(500)]).await);
    rig.point_to(&receiver.url()).await;
    let (id, _) = rig.deliver().await;
    rig.world.clock.set(rig.next_attempt(id).await);
    rig.tick().await;
    let (first, second) = (receiver.next().await, receiver.next().await);
    for name in ["x-preclinical-delivery", "webhook-id"] {
        assert_eq!(first.header(name), second.header(name));
    }
    for name in ["webhook-timestamp", "webhook-signature", "x-preclinical-signature"] {
        assert_ne!(first.header(name), second.header(name));
    }
    let sent_at = rig.world.now().strftime(r#""timestamp":"%Y-%m-%dT%H:%M:%SZ""#).to_string();
    assert!(String::from_utf8_lossy(&second.body).contains(&sent_at));
    assert!(is_signed_with("s3cret", &second));
}

#[tokio::test]
async fn a_changed_url_and_secret_apply_to_the_next_attempt() {
    let (rig, old, new) = (Rig::new().await, Receiver::start([Reaction::status(500)]).await, Receiver::start([]).await);
    rig.point_to(&old.url()).await;
    let (id, _) = rig.deliver().await;
    old.next().await;
    let secret = Some(Some(SigningSecret::parse("rotated").unwrap()));
    let changes = WebhookChanges { url: Some(new.url()), secret, ..WebhookChanges::default() };
    rig.world.store.update_webhook(rig.world.organization, rig.webhook, changes, rig.world.now()).await.unwrap();
    rig.world.clock.set(rig.next_attempt(id).await);
    rig.tick().await;
    assert!(is_signed_with("rotated", &new.next().await));
    assert_eq!(old.waiting().await, 0);
}

#[tokio::test]
async fn a_test_is_sent_once_and_has_no_consequence_for_its_webhook() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([Reaction::status(503), Reaction::status(410)]).await);
    rig.point_to(&receiver.url()).await;
    for status in [503, 410] {
        let place = rig.engine.handoff().reserve_for_test(rig.world.organization, rig.webhook).unwrap();
        let claimed = rig.world.enqueue_test(rig.webhook).await.unwrap();
        let id = claimed.delivery_id;
        assert_eq!(place.send(claimed).await.unwrap().http_status, Some(status));
        assert_eq!(rig.status(id).await, DeliveryStatus::Failed);
        let seen = receiver.next().await;
        assert_eq!(seen.header("x-preclinical-event"), Some("test"));
        assert!(seen.body.starts_with(br#"{"event":"test","is_test":true,"#));
    }
    let webhook = rig.world.store.webhook(rig.world.organization, rig.webhook).await.unwrap().unwrap();
    assert_eq!((webhook.is_enabled, webhook.health.consecutive_failures), (true, 0));
}
