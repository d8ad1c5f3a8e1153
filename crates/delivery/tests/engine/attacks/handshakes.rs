use preclinical_core::attempt::ErrorKind::{self, Reset, Tls};
use preclinical_testkit::{
    authority::Authority,
    receiver::{Reaction, Receiver},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::rig::{Rig, loopback, platform};

async fn rig(authority: &Authority) -> Rig {
    Rig::on_platform(platform(None, authority.roots()), loopback()).await
}

/// What is kept of a failure at that URL.
async fn told(rig: &Rig, url: &str) -> (ErrorKind, String) {
    let error = rig.attempt_to(url).await.error.expect("a failure");
    (error.kind, error.message)
}

#[tokio::test]
async fn certificates() {
    let (authority, stranger) = (Authority::default(), Authority::default());
    let rig = rig(&authority).await;
    for (name, server, says) in [
        ("out of date", authority.server_in_the_years("127.0.0.1", 2020, 2021), "the certificate has expired"),
        ("ahead of its time", authority.server_in_the_years("127.0.0.1", 2090, 2091), "the certificate is not valid yet"),
        ("of another address", authority.server("127.0.0.2", &[]), "the certificate is made out for another name"),
        ("of a name", authority.server("receiver.example", &[]), "the certificate is made out for another name"),
        ("of a name that is markup", authority.server("<script>", &[]), "the certificate is made out for another name"),
        (
            "of its own",
            Authority::self_signed_server("127.0.0.1"),
            "the certificate is self-signed, or its issuer is not trusted",
        ),
        (
            "of an authority that nobody knows",
            stranger.server("127.0.0.1", &[]),
            "the certificate is self-signed, or its issuer is not trusted",
        ),
    ] {
        let receiver = Receiver::start_tls(server, []).await;
        let told = told(&rig, &receiver.url()).await;
        assert_eq!(told, (Tls, format!("the TLS handshake failed: {says}")), "{name}");
        assert_eq!(receiver.waiting().await, 0, "{name}");
    }
    let wants_ours = Receiver::start_tls(authority.server_that_asks_for_a_certificate("127.0.0.1"), []).await;
    let (kind, message) = told(&rig, &wants_ours.url()).await;
    assert!(
        kind == Tls && message.ends_with("the receiver wants a certificate of this server, which has none"),
        "{message}"
    );
    for reaction in [Reaction::BytesThenClose(vec![]), Reaction::BytesThenReset(vec![])] {
        let breaks = Receiver::start_tls(authority.server("127.0.0.1", &[]), [reaction]).await;
        assert_eq!(told(&rig, &breaks.url()).await.0, Reset);
    }
}

/// A TLS record of that kind.
fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3, length[0], length[1]], payload].concat()
}

#[tokio::test]
async fn bytes_that_are_no_handshake() {
    let rig = Rig::new().await;
    let in_common = "the receiver has no version or cipher in common with this server: it takes TLS 1.2 and 1.3";
    let no_tls = "the receiver does not speak TLS on that port";
    let hello_of_ssl3 = [&[2, 0, 0, 38, 3, 0][..], &[7; 32], &[0, 0, 5, 0]].concat();
    for (name, bytes, says) in [
        ("plain HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), no_tls),
        ("a page", b"<html>400 The plain HTTP request was sent to HTTPS port</html>".to_vec(), no_tls),
        ("secure shell", b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(), no_tls),
        ("mail", b"220 mail.example.com ESMTP\r\n".to_vec(), no_tls),
        ("nothing", vec![], "the receiver ended the connection"),
        ("half a record", vec![22, 3, 3, 0, 99, 2], "the receiver ended the connection"),
        ("no common version", record(21, &[2, 70]), in_common),
        ("no common cipher", record(21, &[2, 40]), in_common),
        ("SSL 3", record(22, &hello_of_ssl3), in_common),
        ("a name that it does not know", record(21, &[2, 112]), "the receiver does not know the host's name"),
        ("an alert that nobody knows", record(21, &[2, 255]), "the receiver refused the connection"),
        ("a handshake without sense", record(22, &[99, 0, 0, 1, 0]), "the receiver sent what is not valid TLS"),
        ("data before the handshake", record(23, b"hello"), "the receiver sent what is not valid TLS"),
        (
            "a record beyond the limit",
            [&[22, 3, 3, 0xff, 0xff][..], &[0; 200]].concat(),
            "the receiver sent what is not valid TLS",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let receiver = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_u8().await.unwrap();
            stream.write_all(&bytes).await.unwrap();
            stream.shutdown().await.unwrap();
            while matches!(stream.read(&mut [0; 4096]).await, Ok(1..)) {}
        });
        assert_eq!(told(&rig, &url).await, (Tls, format!("the TLS handshake failed: {says}")), "{name}");
        receiver.await.unwrap();
    }
}
