use std::time::Duration;

use jiff::SignedDuration;
use preclinical_core::{attempt::ErrorKind, delivery::DeliveryStatus, endpoint::EndpointPolicy, port::Prober};
use preclinical_delivery::{Probe, Tick};
use preclinical_testkit::attack::URLS;
use rustls::RootCertStore;

use crate::rig::{Rig, platform};

async fn rig() -> Rig {
    Rig::on_platform(platform(None, RootCertStore::empty()), EndpointPolicy::default()).await
}

#[tokio::test]
async fn none_is_called_by_a_delivery_that_has_one_already() {
    let rig = rig().await;
    assert!(URLS.len() >= 150);
    for attack in URLS {
        let (status, attempt) = rig.exchange(attack.url).await;
        let error = attempt.error.expect(attack.name);
        assert_eq!((status, error.kind), (DeliveryStatus::Pending, ErrorKind::Blocked), "{}", attack.name);
        assert!(error.message.starts_with("blocked: the URL m"), "{}: {}", attack.name, error.message);
    }
}

#[tokio::test]
async fn none_is_called_by_a_retry() {
    let rig = rig().await;
    let mut ids = Vec::new();
    // Each points to where the last one does when they are due, and one at a time is tried of a webhook that failed.
    for attack in &URLS[..100] {
        rig.point_to(attack.url).await;
        ids.push(rig.deliver().await.0);
    }
    rig.world.clock.turn(SignedDuration::from_mins(2));
    while matches!(rig.tick().await, Tick::Waiting(_)) {}
    for id in ids {
        let kinds: Vec<_> = rig.attempts(id).await.into_iter().map(|attempt| attempt.error.unwrap().kind).collect();
        assert_eq!(kinds, [ErrorKind::Blocked; 2]);
    }
}

#[tokio::test]
async fn none_is_called_by_a_look_at_an_agent() {
    let probe = Probe::new(rig().await.client, Duration::from_secs(20));
    for attack in URLS {
        let error = probe.get(attack.url, Some("canary-of-key")).await.expect_err(attack.name);
        assert_eq!(error.kind, ErrorKind::Blocked, "{}", attack.name);
        assert!(!error.message.contains("canary"), "{}", error.message);
    }
}
