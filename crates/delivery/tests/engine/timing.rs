//! Where the time of an attempt went: which parts it had, never how long they were.

use std::sync::Arc;

use preclinical_core::attempt::{Attempt, ErrorKind};
use preclinical_testkit::{
    authority::Authority,
    name_server::{Entry, NameServer},
    receiver::{Gate, Reaction, Receiver, StreamReaction, answer_bytes},
};
use rustls::RootCertStore;
use tokio::{
    io::{AsyncReadExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use crate::rig::{Rig, loopback, platform};

const HOST: &str = "hook.example";

/// The parts that the attempt had. Together they are no longer than it was.
fn parts(attempt: &Attempt) -> Vec<&'static str> {
    let timing = attempt.timing;
    let parts =
        [("resolve", timing.resolve), ("connect", timing.connect), ("tls", timing.tls), ("first byte", timing.first_byte)];
    let sum: u128 = parts.iter().filter_map(|(_, time)| *time).map(|time| time.as_millis()).sum();
    assert!(sum <= u128::from(attempt.duration_ms.unwrap()), "{attempt:?}");
    parts.into_iter().filter_map(|(name, time)| time.map(|_| name)).collect()
}

async fn names(entry: Entry) -> NameServer {
    NameServer::start([(HOST, entry)]).await
}

fn known() -> Entry {
    Entry::Addresses(vec![vec!["127.0.0.1".parse().unwrap()]])
}

fn by_name(receiver: &Receiver) -> String {
    receiver.url().replace("127.0.0.1", HOST)
}

/// The parts of a failed attempt at that URL.
async fn parts_of_failure(rig: &Rig, url: &str, kind: ErrorKind) -> Vec<&'static str> {
    let attempt = rig.attempt_to(url).await;
    assert_eq!(attempt.error.as_ref().unwrap().kind, kind, "{url}");
    parts(&attempt)
}

#[tokio::test]
async fn a_first_attempt_has_every_part_and_one_over_its_connection_only_the_wait() {
    let (authority, names) = (Authority::default(), names(known()).await);
    let rig = Rig::on_platform(platform(Some(names.address), authority.roots()), loopback()).await;
    let first = Receiver::start_tls(authority.server(HOST, &[]), []).await;
    let second = Receiver::start_http2(authority.server(HOST, &["h2"]), []).await;
    for receiver in [first, second] {
        let every = ["resolve", "connect", "tls", "first byte"];
        assert_eq!(parts(&rig.attempt_to(&by_name(&receiver)).await), every);
        assert_eq!(parts(&rig.attempt_to(&by_name(&receiver)).await), ["first byte"]);
        assert_eq!((receiver.next().await.connection, receiver.next().await.connection), (0, 0));
    }
}

#[tokio::test]
async fn an_address_is_not_resolved_and_a_plain_connection_has_no_handshake() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    assert_eq!(parts(&rig.attempt_to(&receiver.url()).await), ["connect", "first byte"]);
}

#[tokio::test]
async fn a_connection_that_takes_the_place_of_a_closed_one_was_made_for_its_attempt() {
    let receiver = Receiver::start([Reaction::BytesThenClose(answer_bytes(200, "", b"ok"))]).await;
    let rig = Rig::new().await;
    rig.attempt_to(&receiver.url()).await;
    assert_eq!(receiver.over().await, 0);
    assert_eq!(parts(&rig.attempt_to(&receiver.url()).await), ["connect", "first byte"]);
}

#[tokio::test]
async fn a_failed_attempt_has_the_parts_up_to_the_one_in_which_it_failed() {
    let (authority, names) = (Authority::default(), names(known()).await);
    let rig = Rig::on_platform(platform(Some(names.address), authority.roots()), loopback()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap().port();
    drop(listener);
    let breaking = Receiver::start_tls(authority.server(HOST, &[]), [Reaction::BytesThenClose(vec![])]).await;
    let unknown = Receiver::start_tls(Authority::default().server(HOST, &[]), []).await;
    let stopping = Reaction::BytesThenClose(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab".to_vec());
    let stopping = Receiver::start([stopping]).await;
    for (url, kind, expected) in [
        ("ftp://hook.example/".to_owned(), ErrorKind::Blocked, &[][..]),
        ("http://nowhere.example/".to_owned(), ErrorKind::Dns, &["resolve"]),
        (format!("https://{HOST}:{closed}/"), ErrorKind::Connect, &["resolve", "connect"]),
        (by_name(&unknown), ErrorKind::Tls, &["resolve", "connect", "tls"]),
        (by_name(&breaking), ErrorKind::Reset, &["resolve", "connect", "tls", "first byte"]),
        (stopping.url(), ErrorKind::Reset, &["connect", "first byte"]),
    ] {
        assert_eq!(parts_of_failure(&rig, &url, kind).await, expected, "{url}");
    }
}

#[tokio::test]
async fn an_attempt_that_is_given_up_has_the_parts_up_to_the_one_it_was_in() {
    let names = names(Entry::Silence).await;
    let rig = Rig::hurried_on(platform(Some(names.address), RootCertStore::empty()), loopback()).await;
    let receiver = Receiver::start([Reaction::Hang]).await;
    let deaf = receiver.url().replace("http:", "https:");
    for (url, expected) in
        [(by_name(&receiver), &["resolve"][..]), (deaf, &["connect", "tls"]), (receiver.url(), &["connect", "first byte"])]
    {
        assert_eq!(parts_of_failure(&rig, &url, ErrorKind::Timeout).await, expected, "{url}");
    }
}

#[tokio::test]
async fn a_kept_connection_that_breaks_was_not_made_for_the_attempt_that_fails_on_it() {
    for broken in [Reaction::BytesThenClose(vec![]), Reaction::BytesThenReset(vec![])] {
        let (rig, receiver) = (Rig::new().await, Receiver::start([Reaction::status(200), broken]).await);
        rig.attempt_to(&receiver.url()).await;
        assert_eq!(parts_of_failure(&rig, &receiver.url(), ErrorKind::Reset).await, ["first byte"]);
    }
    let authority = Authority::default();
    let rig = Rig::on_platform(platform(None, authority.roots()), loopback()).await;
    let script = [StreamReaction::Answer(200, vec![]), StreamReaction::Reset];
    let receiver = Receiver::start_http2(authority.server("127.0.0.1", &["h2"]), script).await;
    rig.attempt_to(&receiver.url()).await;
    assert_eq!(parts_of_failure(&rig, &receiver.url(), ErrorKind::Reset).await, ["first byte"]);
}

/// Passes the first connection on to a receiver, and lets the second one wait for ever when it has begun its handshake.
async fn bottleneck(receiver: &Receiver) -> (String, Arc<Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, address) = (format!("https://{}/", listener.local_addr().unwrap()), receiver.address);
    let waits = Arc::new(Notify::new());
    let waiting = waits.clone();
    tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        let mut passed_on = TcpStream::connect(address).await.unwrap();
        let passing = tokio::spawn(async move { copy_bidirectional(&mut first, &mut passed_on).await });
        let (mut second, _) = listener.accept().await.unwrap();
        second.read_u8().await.unwrap();
        waiting.notify_one();
        let _ = passing.await;
        std::future::pending::<()>().await;
    });
    (url, waits)
}

/// The second attempt begins a connection of its own, and is then given that of the first.
#[tokio::test]
async fn a_connection_that_comes_too_late_counts_for_nobody() {
    let authority = Authority::default();
    for over_the_first in [Reaction::status(200), Reaction::BytesThenClose(vec![])] {
        let rig = Rig::on_platform(platform(None, authority.roots()), loopback()).await;
        let gate = Gate::closed();
        let held = Reaction::BytesAfter(gate.clone(), answer_bytes(200, "", b"ok"));
        let receiver = Receiver::start_tls(authority.server("127.0.0.1", &[]), [held, over_the_first]).await;
        let (url, waits) = bottleneck(&receiver).await;
        rig.point_to(&url).await;
        let (first, sent_first) = rig.send().await;
        receiver.next().await;
        let (second, sent_second) = rig.send().await;
        waits.notified().await;
        gate.open();
        sent_first.await.unwrap();
        sent_second.await.unwrap();
        assert_eq!(parts(&rig.attempts(first).await[0]), ["connect", "tls", "first byte"]);
        assert_eq!(parts(&rig.attempts(second).await[0]), ["first byte"]);
        assert_eq!(receiver.next().await.connection, 0);
    }
}
