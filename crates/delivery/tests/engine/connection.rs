//! Connections are kept, and no request is repeated behind the history's back.

use preclinical_core::attempt::ErrorKind;
use preclinical_testkit::receiver::{Reaction, Receiver, answer_bytes};

use crate::rig::Rig;

#[tokio::test]
async fn deliveries_to_one_receiver_share_a_connection() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    for _ in 0..3 {
        rig.attempt_to(&receiver.url()).await;
        assert_eq!(receiver.next().await.connection, 0);
    }
}

#[tokio::test]
async fn after_an_idle_connection_was_closed_the_next_delivery_arrives_once() {
    let receiver = Receiver::start([Reaction::BytesThenClose(answer_bytes(200, "", b"ok"))]).await;
    let rig = Rig::new().await;
    rig.attempt_to(&receiver.url()).await;
    receiver.next().await;
    assert_eq!(receiver.over().await, 0);
    assert_eq!(rig.attempt_to(&receiver.url()).await.http_status, Some(200));
    assert_eq!(receiver.next().await.connection, 1);
    assert_eq!(receiver.waiting().await, 0);
}

#[tokio::test]
async fn a_connection_that_breaks_under_a_request_fails_the_attempt_and_repeats_nothing() {
    for broken in [Reaction::BytesThenClose(vec![]), Reaction::BytesThenReset(vec![])] {
        let (rig, receiver) = (Rig::new().await, Receiver::start([Reaction::status(200), broken]).await);
        rig.attempt_to(&receiver.url()).await;
        receiver.next().await;
        assert_eq!(rig.failure_to(&receiver.url()).await, ErrorKind::Reset);
        assert_eq!(receiver.next().await.connection, 0);
        assert_eq!((receiver.waiting().await, receiver.connections().await), (0, 1));
    }
}

#[tokio::test]
async fn a_connection_whose_answer_was_not_read_to_its_end_is_not_used_again() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n".to_vec();
    let receiver = Receiver::start([Reaction::Bytes([head, vec![b'x'; 1_000_000]].concat())]).await;
    let rig = Rig::new().await;
    rig.attempt_to(&receiver.url()).await;
    assert_eq!(receiver.over().await, 0);
    assert_eq!(rig.attempt_to(&receiver.url()).await.http_status, Some(200));
    assert_eq!((receiver.next().await.connection, receiver.next().await.connection), (0, 1));
}
