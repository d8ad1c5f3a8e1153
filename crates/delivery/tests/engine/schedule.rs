//! When a delivery is tried again, and when no more.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{delivery::DeliveryStatus, id::DeliveryId};
use preclinical_delivery::Tick;
use preclinical_testkit::receiver::{Gate, Reaction, Receiver, answer_bytes};

use crate::rig::Rig;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// When the next attempt is due. Not before `from` and `wait`, and at most a tenth of `wait` later.
async fn due(rig: &Rig, id: DeliveryId, from: Timestamp, wait: SignedDuration) -> Timestamp {
    let next = rig.next_attempt(id).await;
    assert!(next >= from + wait, "{next} is early");
    assert!(next <= from + wait + wait / 10, "{next} is late");
    next
}

/// Makes the attempt that is due at `next`, and finds that nothing is a millisecond earlier.
async fn retry_at(rig: &Rig, receiver: &Receiver, next: Timestamp) {
    rig.world.clock.set(next - SignedDuration::from_millis(1));
    assert_eq!(rig.tick().await, Tick::IdleUntil(Some(next)));
    assert_eq!(receiver.waiting().await, 0);
    rig.world.clock.set(next);
    rig.tick().await;
    assert_eq!(receiver.waiting().await, 1);
    receiver.next().await;
}

#[tokio::test]
async fn two_failures_and_a_success_are_three_attempts_at_the_documented_times() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([Reaction::status(503), Reaction::status(503)]).await);
    rig.point_to(&receiver.url()).await;
    let start = rig.world.now();
    let (id, _) = rig.deliver().await;
    receiver.next().await;
    let second = due(&rig, id, start, MINUTE).await;
    retry_at(&rig, &receiver, second).await;
    let third = due(&rig, id, second, MINUTE * 5).await;
    retry_at(&rig, &receiver, third).await;

    let attempts = rig.attempts(id).await;
    let story: Vec<_> = attempts.iter().map(|attempt| (attempt.started_at, attempt.http_status)).collect();
    assert_eq!(story, [(start, Some(503)), (second, Some(503)), (third, Some(200))]);
    assert_eq!(rig.status(id).await, DeliveryStatus::Delivered);
    assert_eq!(rig.tick().await, Tick::IdleUntil(None));
}

#[tokio::test]
async fn after_four_failed_attempts_the_delivery_has_failed_for_good() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([(); 9].map(|()| Reaction::status(500))).await);
    rig.point_to(&receiver.url()).await;
    let (id, _) = rig.deliver().await;
    receiver.next().await;
    for minutes in [1, 5, 30] {
        let next = due(&rig, id, rig.world.now(), MINUTE * minutes).await;
        retry_at(&rig, &receiver, next).await;
    }
    let delivery = rig.world.delivery(id).await;
    assert_eq!((delivery.status, delivery.attempt_count), (DeliveryStatus::Failed, 4));
    assert_eq!((delivery.next_attempt_at, delivery.completed_at), (None, Some(rig.world.now())));
    rig.world.clock.turn(DAY * 30);
    assert_eq!(rig.tick().await, Tick::IdleUntil(None));
    assert_eq!(receiver.waiting().await, 0);
}

#[tokio::test]
async fn the_schedule_is_a_setting() {
    let rig = Rig::new().await.with_schedule("10s");
    let receiver = Receiver::start([Reaction::status(500), Reaction::status(500)]).await;
    rig.point_to(&receiver.url()).await;
    let (id, _) = rig.deliver().await;
    receiver.next().await;
    let next = due(&rig, id, rig.world.now(), SignedDuration::from_secs(10)).await;
    retry_at(&rig, &receiver, next).await;
    assert_eq!(rig.status(id).await, DeliveryStatus::Failed);
}

#[tokio::test]
async fn a_wait_begins_when_the_attempt_ends() {
    let gate = Gate::closed();
    let receiver = Receiver::start([Reaction::BytesAfter(gate.clone(), answer_bytes(500, "", b""))]).await;
    let rig = Rig::new().await;
    rig.point_to(&receiver.url()).await;
    let (id, sent) = rig.send().await;
    receiver.next().await;
    rig.world.clock.turn(SignedDuration::from_secs(14));
    gate.open();
    sent.await.unwrap();
    due(&rig, id, rig.world.now(), MINUTE).await;
}

#[tokio::test]
async fn retries_of_deliveries_that_failed_together_are_spread() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([(); 9].map(|()| Reaction::status(500))).await);
    rig.point_to(&receiver.url()).await;
    let mut times = BTreeSet::new();
    for _ in 0..9 {
        let (id, _) = rig.deliver().await;
        times.insert(due(&rig, id, rig.world.now(), MINUTE).await);
    }
    assert!(times.len() > 6, "{times:?}");
}

/// The time until the next attempt after an answer with this status and header.
async fn wait_after(rig: &Rig, status: u16, header: &str) -> SignedDuration {
    let receiver = Receiver::start([Reaction::answer(status, &format!("{header}\r\n"), b"")]).await;
    rig.point_to(&receiver.url()).await;
    let (id, _) = rig.deliver().await;
    rig.next_attempt(id).await.duration_since(rig.world.now())
}

#[tokio::test]
async fn retry_after_on_429_and_503_postpones_the_next_attempt() {
    let rig = Rig::new().await;
    let later = (rig.world.now() + SignedDuration::from_hours(2)).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for status in [429, 503] {
        assert_eq!(wait_after(&rig, status, "Retry-After: 3600").await, MINUTE * 60);
        assert_eq!(wait_after(&rig, status, &format!("retry-after: {later}")).await, MINUTE * 120);
    }
}

#[tokio::test]
async fn retry_after_never_brings_the_next_attempt_forward() {
    let rig = Rig::new().await;
    let past = "Fri, 30 Jan 2026 00:00:00 GMT";
    for value in ["0", "1", "59", past, "-5", "soon", ""] {
        let wait = wait_after(&rig, 503, &format!("Retry-After: {value}")).await;
        assert!(wait >= MINUTE && wait <= MINUTE + MINUTE / 10, "{value}: {wait}");
    }
}

#[tokio::test]
async fn retry_after_postpones_by_a_day_at_most() {
    let rig = Rig::new().await;
    for value in ["86401", "99999999999999999999999999", "Fri, 30 Jan 2099 10:30:00 GMT"] {
        assert_eq!(wait_after(&rig, 429, &format!("Retry-After: {value}")).await, DAY, "{value}");
    }
}

#[tokio::test]
async fn retry_after_means_nothing_on_other_answers() {
    let rig = Rig::new().await;
    for status in [301, 400, 404, 413, 500, 502, 504] {
        let wait = wait_after(&rig, status, "Retry-After: 3600").await;
        assert!(wait <= MINUTE + MINUTE / 10, "{status}: {wait}");
    }
}

#[tokio::test]
async fn a_postponed_attempt_is_made_when_the_receiver_asked_for_it() {
    let reaction = Reaction::answer(503, "Retry-After: 7200\r\n", b"");
    let (rig, receiver) = (Rig::new().await, Receiver::start([reaction]).await);
    rig.point_to(&receiver.url()).await;
    let (id, _) = rig.deliver().await;
    receiver.next().await;
    retry_at(&rig, &receiver, rig.world.now() + MINUTE * 120).await;
    assert_eq!(rig.status(id).await, DeliveryStatus::Delivered);
}

#[tokio::test]
async fn gone_is_the_end_of_the_delivery_and_of_its_webhook() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([Reaction::status(503), Reaction::status(410)]).await);
    rig.point_to(&receiver.url()).await;
    let (waiting, _) = rig.deliver().await;
    let (gone, _) = rig.deliver().await;
    let webhook = rig.world.store.webhook(rig.world.organization, rig.webhook).await.unwrap().unwrap();
    assert!(!webhook.is_enabled);
    assert_eq!(rig.status(gone).await, DeliveryStatus::Failed);
    assert_eq!(rig.status(waiting).await, DeliveryStatus::Canceled);
    rig.world.clock.turn(DAY);
    assert_eq!(rig.tick().await, Tick::IdleUntil(None));
    let run = rig.world.run(rig.agent, None).await;
    rig.world.complete(run.id, None).await.unwrap();
    assert_eq!(rig.tick().await, Tick::IdleUntil(None), "nothing is sent to a disabled webhook");
    let missed = &rig.world.deliveries().await[0];
    assert_eq!((missed.run_id, missed.status, missed.attempt_count), (Some(run.id), DeliveryStatus::Canceled, 0));
}

#[tokio::test]
async fn any_2xx_is_a_success_and_nothing_else_is() {
    let rig = Rig::new().await;
    for status in [200, 201, 202, 203, 206, 226, 299] {
        let (delivery, attempt) = rig.exchange_at(Reaction::status(status)).await;
        assert_eq!((delivery, attempt.http_status), (DeliveryStatus::Delivered, Some(status)));
    }
    for status in [300, 304, 400, 401, 404, 408, 425, 451, 499, 500, 599, 600, 999] {
        let (delivery, attempt) = rig.exchange_at(Reaction::status(status)).await;
        assert_eq!((delivery, attempt.http_status), (DeliveryStatus::Pending, Some(status)));
    }
}

#[tokio::test]
async fn a_redirect_is_a_failed_attempt_and_is_not_followed() {
    let (rig, target) = (Rig::new().await, Receiver::start([]).await);
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: {}\r\n", target.url());
        let (delivery, attempt) = rig.exchange_at(Reaction::answer(status, &location, b"")).await;
        assert_eq!((delivery, attempt.http_status, attempt.error), (DeliveryStatus::Pending, Some(status), None));
    }
    assert_eq!(target.connections().await, 0);
}
