//! Encrypted connections, to receivers that can prove who they are.

use preclinical_core::attempt::ErrorKind;
use preclinical_testkit::{
    authority::Authority,
    name_server::{Entry, NameServer},
    receiver::{Reaction, Receiver},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::rig::{Rig, loopback, platform};

/// The first byte of what a client says over TLS.
const HANDSHAKE: u8 = 22;

async fn rig(authority: &Authority) -> Rig {
    Rig::on_platform(platform(None, authority.roots()), loopback()).await
}

#[tokio::test]
async fn a_receiver_with_a_trusted_certificate_is_called() {
    let authority = Authority::default();
    let rig = rig(&authority).await;
    for protocols in [&[][..], &["http/1.1"]] {
        let receiver = Receiver::start_tls(authority.server("127.0.0.1", protocols), []).await;
        assert_eq!(rig.attempt_to(&receiver.url()).await.http_status, Some(200));
        assert!(receiver.next().await.head.contains(" HTTP/1.1\r\n"));
    }
}

#[tokio::test]
async fn the_certificate_must_be_that_of_the_name_in_the_url() {
    let authority = Authority::default();
    let entry = || Entry::Addresses(vec![vec!["127.0.0.1".parse().unwrap()]]);
    let names = NameServer::start([("right.example", entry()), ("wrong.example", entry())]).await;
    let rig = Rig::on_platform(platform(Some(names.address), authority.roots()), loopback()).await;
    let receiver = Receiver::start_tls(authority.server("right.example", &[]), []).await;
    let url = |host: &str| format!("https://{host}:{}/", receiver.address.port());
    assert_eq!(rig.attempt_to(&url("right.example")).await.http_status, Some(200));
    assert_eq!(rig.failure_to(&url("wrong.example")).await, ErrorKind::Tls);
    assert_eq!(rig.failure_to(&url("127.0.0.1")).await, ErrorKind::Tls);
    receiver.next().await;
    assert_eq!(receiver.waiting().await, 0);
}

#[tokio::test]
async fn a_receiver_that_nobody_vouches_for_is_not_called() {
    let (trusted, unknown) = (Authority::default(), Authority::default());
    let receiver = Receiver::start_tls(unknown.server("127.0.0.1", &[]), []).await;
    assert_eq!(rig(&trusted).await.failure_to(&receiver.url()).await, ErrorKind::Tls);
    assert_eq!(receiver.over().await, 0);
    assert_eq!(receiver.waiting().await, 0);
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_certificate_of_ours_is_a_failure_of_tls() {
    let authority = Authority::default();
    let receiver = Receiver::start_tls(authority.server_that_asks_for_a_certificate("127.0.0.1"), []).await;
    assert_eq!(rig(&authority).await.failure_to(&receiver.url()).await, ErrorKind::Tls);
}

#[tokio::test]
async fn a_port_that_speaks_no_tls_is_a_failure_of_tls() {
    let rig = Rig::new().await;
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let plain = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), HANDSHAKE);
            stream.write_all(answer).await.unwrap();
            stream.shutdown().await.unwrap();
            while matches!(stream.read(&mut [0; 4096]).await, Ok(1..)) {}
        });
        assert_eq!(rig.failure_to(&url).await, ErrorKind::Tls);
        plain.await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_that_breaks_under_tls_is_a_reset() {
    let authority = Authority::default();
    let rig = rig(&authority).await;
    for reaction in [Reaction::BytesThenClose(vec![]), Reaction::BytesThenReset(vec![])] {
        let receiver = Receiver::start_tls(authority.server("127.0.0.1", &[]), [reaction]).await;
        assert_eq!(rig.failure_to(&receiver.url()).await, ErrorKind::Reset);
    }
}
