//! Exchanges that come to no complete answer over a connection that was made.

use preclinical_core::attempt::ErrorKind;
use preclinical_testkit::receiver::Reaction;
use tokio::net::TcpListener;

use crate::rig::Rig;

#[tokio::test]
async fn what_is_not_http_is_a_failure_of_protocol() {
    let rig = Rig::new().await;
    let ok = "HTTP/1.1 200 OK\r\n";
    for bytes in [
        "220 mail.example.com ESMTP\r\n".to_owned(),
        "\u{0}\u{1}\u{2}\u{3}\r\n\r\n".to_owned(),
        "HTTP/1.1 2OO OK\r\n\r\n".to_owned(),
        "HTTP/1.1 20 OK\r\n\r\n".to_owned(),
        "HTTP/3.7 200 OK\r\n\r\n".to_owned(),
        format!("{ok}no colon\r\n\r\n"),
        format!("{ok}x: nul\u{0}\r\n\r\n"),
        format!("{ok}content-length: five\r\n\r\nabcde"),
        format!("{ok}content-length: 1\r\ncontent-length: 2\r\n\r\nab"),
        format!("{ok}content-length: 99999999999999999999\r\n\r\nab"),
        format!("{ok}transfer-encoding: chunked\r\n\r\nno size\r\n"),
        format!("{ok}transfer-encoding: chunked\r\n\r\n2\r\nabX\r\n0\r\n\r\n"),
        format!("{ok}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n"),
    ] {
        let kind = rig.failure_at(Reaction::BytesThenHang(bytes.clone().into_bytes())).await;
        assert_eq!(kind, ErrorKind::Protocol, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_head_beyond_its_limit_is_a_failure_of_protocol() {
    let rig = Rig::new().await;
    let with_header = |length: usize| format!("HTTP/1.1 200 OK\r\nx: {}\r\n", "x".repeat(length));
    let fits = rig.exchange_at(Reaction::Bytes(format!("{}content-length: 0\r\n\r\n", with_header(60_000)).into())).await.1;
    assert_eq!(fits.response.unwrap().headers[0].1.len(), 60_000);
    let endless = Reaction::BytesThenFlood(b"HTTP/1.1 200 OK\r\n".to_vec(), b"x: y\r\n".repeat(1000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(1000));
    for reaction in [Reaction::BytesThenHang(with_header(70_000).into()), Reaction::BytesThenHang(many.into()), endless] {
        assert_eq!(rig.failure_at(reaction).await, ErrorKind::Protocol);
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_is_a_reset() {
    let rig = Rig::new().await;
    for bytes in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"] {
        assert_eq!(rig.failure_at(Reaction::BytesThenClose(bytes.into())).await, ErrorKind::Reset, "{bytes:?}");
        assert_eq!(rig.failure_at(Reaction::BytesThenReset(bytes.into())).await, ErrorKind::Reset, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_a_failure_to_connect() {
    let rig = Rig::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(rig.failure_to(&format!("http://{address}/")).await, ErrorKind::Connect);
    assert_eq!(rig.failure_to(&format!("https://{address}/")).await, ErrorKind::Connect);
}
