//! What name servers answer, and what becomes of it.

use std::net::{IpAddr, Ipv4Addr};

use preclinical_core::attempt::ErrorKind;
use preclinical_testkit::{
    name_server::{Entry, NameServer},
    receiver::Receiver,
};
use rustls::RootCertStore;

use crate::rig::{Rig, SEARCH, loopback, platform};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// An address of 127.0.0.0/8 where nobody listens.
fn elsewhere(last: u8) -> IpAddr {
    IpAddr::from([127, 0, 1, last])
}

async fn rig(entries: impl IntoIterator<Item = (&str, Entry)>) -> (Rig, NameServer) {
    let names = NameServer::start(entries).await;
    (Rig::on_platform(platform(Some(names.address), RootCertStore::empty()), loopback()).await, names)
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_asked_for_over_tcp() {
    let many = (1..=200).map(elsewhere).collect();
    let entries = [("cut.example", Entry::OverTcp(vec![HERE])), ("many.example", Entry::Addresses(vec![many]))];
    let ((rig, _names), receiver) = (rig(entries).await, Receiver::start([]).await);
    let port = receiver.address.port();
    assert_eq!(rig.attempt_to(&format!("http://cut.example:{port}/")).await.http_status, Some(200));
    assert_eq!(rig.failure_to(&format!("http://many.example:{port}/")).await, ErrorKind::Connect);
}

#[tokio::test]
async fn a_name_that_stands_for_another_is_judged_by_where_that_one_leads() {
    let entries = [
        ("alias.example", Entry::Alias("here.example".to_owned())),
        ("far.example", Entry::Alias("alias.example".to_owned())),
        ("here.example", Entry::Addresses(vec![vec![HERE]])),
        ("inside.example", Entry::Alias("db.internal".to_owned())),
        ("db.internal", Entry::Addresses(vec![vec![IpAddr::from([10, 0, 0, 5])]])),
    ];
    let ((rig, _names), receiver) = (rig(entries).await, Receiver::start([]).await);
    let url = |host: &str| format!("http://{host}:{}/", receiver.address.port());
    for host in ["alias.example", "far.example"] {
        assert_eq!(rig.attempt_to(&url(host)).await.http_status, Some(200), "{host}");
    }
    assert_eq!(rig.failure_to(&url("inside.example")).await, ErrorKind::Blocked);
}

#[tokio::test]
async fn answers_that_lead_nowhere_are_failures_to_resolve() {
    let entries = [
        ("circle.example", Entry::Alias("elcric.example".to_owned())),
        ("elcric.example", Entry::Alias("circle.example".to_owned())),
        ("itself.example", Entry::Alias("itself.example".to_owned())),
        ("lost.example", Entry::Alias("nobody.example".to_owned())),
        ("empty.example", Entry::Addresses(vec![vec![]])),
    ];
    let (rig, _names) = rig(entries).await;
    for host in ["circle.example", "itself.example", "lost.example", "empty.example", "unknown.example"] {
        assert_eq!(rig.failure_to(&format!("http://{host}/")).await, ErrorKind::Dns, "{host}");
    }
}

#[tokio::test]
async fn a_name_means_the_same_on_every_machine() {
    let inside = format!("hook.example.{SEARCH}");
    let ((rig, _names), receiver) =
        (rig([(&inside[..], Entry::Addresses(vec![vec![HERE]]))]).await, Receiver::start([]).await);
    let url = |host: &str| format!("http://{host}:{}/", receiver.address.port());
    assert_eq!(rig.failure_to(&url("hook.example")).await, ErrorKind::Dns);
    assert_eq!(rig.attempt_to(&url(&inside)).await.http_status, Some(200));
}

#[tokio::test]
async fn answers_that_are_none_end_with_the_deadline_at_the_latest() {
    let refused = [0x81, 0x85, 0, 1, 0, 0, 0, 0, 0, 0];
    // One question, and a name in it that points at itself.
    let endless = [&[0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0][..], &[0xc0, 12, 0, 1, 0, 1]].concat();
    let entries = [
        ("empty.example", Entry::Noise(vec![])),
        ("refused.example", Entry::Noise(refused.to_vec())),
        ("endless.example", Entry::Noise(endless)),
        ("noise.example", Entry::Noise((0..=255).collect())),
        ("nul.example", Entry::Noise(vec![0; 512])),
        ("silent.example", Entry::Silence),
    ];
    let names = NameServer::start(entries).await;
    let rig = Rig::hurried_on(platform(Some(names.address), RootCertStore::empty()), loopback()).await;
    for host in ["empty.example", "refused.example", "endless.example", "noise.example", "nul.example", "silent.example"] {
        let kind = rig.failure_to(&format!("http://{host}/")).await;
        assert!(matches!(kind, ErrorKind::Dns | ErrorKind::Timeout), "{host}: {kind:?}");
    }
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_passed_over_and_no_more_than_four_are_tried() {
    let near = Entry::Addresses(vec![vec![elsewhere(1), elsewhere(2), elsewhere(3), HERE]]);
    let far = Entry::Addresses(vec![vec![elsewhere(1), elsewhere(2), elsewhere(3), elsewhere(4), HERE]]);
    let ((rig, _names), receiver) = (rig([("near.example", near), ("far.example", far)]).await, Receiver::start([]).await);
    let url = |host: &str| format!("http://{host}:{}/", receiver.address.port());
    assert_eq!(rig.attempt_to(&url("near.example")).await.http_status, Some(200));
    assert_eq!(rig.failure_to(&url("far.example")).await, ErrorKind::Connect);
}
