//! Headers of the webhook's owner, from the store to the receiver, and what the history keeps of them.

use preclinical_core::{
    attempt::ErrorKind,
    custom_header::{MASK, WantedHeader},
    delivery::DeliveryStatus,
    webhook::WebhookChanges,
};
use preclinical_testkit::{
    authority::Authority,
    receiver::{Reaction, Receiver, Seen},
    world::wanted,
};

use crate::rig::{Rig, loopback, platform};

async fn set(rig: &Rig, headers: Vec<WantedHeader>) {
    let changes = WebhookChanges { headers: Some(headers), ..WebhookChanges::default() };
    rig.world.store.update_webhook(rig.world.organization, rig.webhook, changes, rig.world.now()).await.unwrap();
}

/// What came behind our own headers, in front of the host.
fn custom(seen: &Seen) -> Vec<(&str, &str)> {
    let behind = seen.headers().skip_while(|(name, _)| *name != "content-length").skip(1);
    behind.filter(|(name, _)| *name != "host").collect()
}

#[tokio::test]
async fn custom_headers_come_behind_our_own_with_their_values_to_the_byte() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    let odd = "a=\"b\"; c,\td:\\ (~)";
    set(&rig, vec![wanted("Authorization", Some("Bearer e30.e30.x")), wanted("X-Odd", Some(odd))]).await;
    rig.point_to(&receiver.url()).await;
    let (id, _) = rig.deliver().await;
    let seen = receiver.next().await;
    assert_eq!(custom(&seen), [("authorization", "Bearer e30.e30.x"), ("x-odd", odd)]);
    assert_eq!(rig.status(id).await, DeliveryStatus::Delivered);
}

#[tokio::test]
async fn every_attempt_has_the_custom_headers_that_the_webhook_has_by_then() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([500, 500, 500].map(Reaction::status)).await);
    rig.point_to(&receiver.url()).await;
    set(&rig, vec![wanted("X-Token", Some("first")), wanted("X-Tenant", Some("acme"))]).await;
    let (id, _) = rig.deliver().await;
    let again = async || {
        rig.world.clock.set(rig.next_attempt(id).await);
        rig.tick().await;
    };
    again().await;
    set(&rig, vec![wanted("X-Token", Some("second")), wanted("X-Tenant", None)]).await;
    again().await;
    set(&rig, vec![]).await;
    again().await;
    let first: &[_] = &[("x-token", "first"), ("x-tenant", "acme")];
    for expected in [first, first, &[("x-token", "second"), ("x-tenant", "acme")], &[]] {
        assert_eq!(custom(&receiver.next().await), expected);
    }
    let kept = rig.attempts(id).await.into_iter().map(|attempt| attempt.request.unwrap().headers);
    let masked: Vec<_> = kept.map(|headers| headers.iter().filter(|(_, value)| value == MASK).count()).collect();
    assert_eq!(masked, [2, 2, 2, 0]);
}

#[tokio::test]
async fn a_test_is_sent_with_the_custom_headers() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    rig.point_to(&receiver.url()).await;
    set(&rig, vec![wanted("X-Tenant", Some("acme"))]).await;
    let place = rig.engine.handoff().reserve_for_test(rig.world.organization, rig.webhook).unwrap();
    let claimed = rig.world.enqueue_test(rig.webhook).await.unwrap();
    assert!(place.send(claimed).await.unwrap().delivered);
    assert_eq!(custom(&receiver.next().await), [("x-tenant", "acme")]);
}

#[tokio::test]
async fn the_history_keeps_all_that_was_sent_but_the_values_of_custom_headers() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    set(&rig, vec![wanted("X-Tenant", Some("canary-1")), wanted("AUTHORIZATION", Some("Bearer canary-2"))]).await;
    let attempt = rig.attempt_to(&receiver.url()).await;
    let (seen, kept) = (receiver.next().await, attempt.request.unwrap());
    assert!(seen.head.contains("canary-1") && seen.head.contains("canary-2"), "they were sent");
    assert!(!format!("{kept:?}").contains("canary"));
    assert_eq!(kept.body, seen.body);
    let masked = |(name, value)| if matches!(name, "x-tenant" | "authorization") { (name, MASK) } else { (name, value) };
    let expected: Vec<(&str, &str)> = seen.headers().map(masked).collect();
    let kept: Vec<(&str, &str)> = kept.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(kept, expected);
}

#[tokio::test]
async fn an_attempt_that_fails_keeps_no_value_either() {
    let rig = Rig::new().await;
    set(&rig, vec![wanted("X-Tenant", Some("canary"))]).await;
    let receiver = Receiver::start([Reaction::BytesThenClose(b"canary? no: not HTTP".to_vec())]).await;
    let attempt = rig.attempt_to(&receiver.url()).await;
    assert_eq!(attempt.error.as_ref().unwrap().kind, ErrorKind::Protocol);
    assert!(receiver.next().await.head.contains("x-tenant: canary"));
    assert!(!format!("{attempt:?}").contains("canary"), "{attempt:?}");
}

#[tokio::test]
async fn over_http2_they_are_in_small_letters_and_whole() {
    let authority = Authority::default();
    let rig = Rig::on_platform(platform(None, authority.roots()), loopback()).await;
    let receiver = Receiver::start_http2(authority.server("127.0.0.1", &["h2", "http/1.1"]), []).await;
    set(&rig, vec![wanted("X-TENANT", Some("Acme")), wanted("Authorization", Some("Bearer x"))]).await;
    let attempt = rig.attempt_to(&receiver.url()).await;
    assert_eq!(attempt.http_status, Some(200));
    let seen = receiver.next().await;
    assert!(seen.head.contains(" HTTP/2.0\r\n") && seen.head.contains("x-tenant: Acme"), "{}", seen.head);
    assert_eq!(seen.header("authorization"), Some("Bearer x"));
}
