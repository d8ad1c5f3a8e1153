//! The deadline covers everything, from the name's resolution to the last byte that is read.

use preclinical_core::attempt::ErrorKind;
use preclinical_testkit::{
    name_server::{Entry, NameServer},
    receiver::{Reaction, Receiver},
};
use rustls::RootCertStore;

use crate::rig::{Rig, loopback, platform};

async fn times_out(reaction: Reaction) {
    let (rig, receiver) = (Rig::hurried().await, Receiver::start([reaction]).await);
    assert_eq!(rig.failure_to(&receiver.url()).await, ErrorKind::Timeout);
    assert_eq!(receiver.over().await, 0, "the connection is given up");
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_given_up() {
    times_out(Reaction::Hang).await;
}

#[tokio::test]
async fn a_receiver_that_stops_in_its_head_is_given_up() {
    times_out(Reaction::BytesThenHang(b"HTTP/1.1 200 OK\r\nx: ".to_vec())).await;
}

#[tokio::test]
async fn a_receiver_that_stops_in_its_body_is_given_up() {
    times_out(Reaction::BytesThenHang(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab".to_vec())).await;
}

#[tokio::test]
async fn a_receiver_that_never_ends_its_chunks_is_given_up() {
    times_out(Reaction::BytesThenHang(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n".to_vec())).await;
}

#[tokio::test]
async fn a_receiver_that_drips_its_head_is_given_up() {
    times_out(Reaction::BytesThenDrip(b"HTTP/1.1 200 OK\r\n".to_vec(), b"x".to_vec())).await;
}

#[tokio::test]
async fn a_receiver_that_drips_its_body_is_given_up() {
    times_out(Reaction::BytesThenDrip(b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n".to_vec(), b"x".to_vec())).await;
}

#[tokio::test]
async fn a_receiver_that_only_ever_promises_an_answer_is_given_up() {
    let promise = b"HTTP/1.1 102 Processing\r\n\r\n".to_vec();
    times_out(Reaction::BytesThenDrip(vec![], promise.clone())).await;
    times_out(Reaction::BytesThenFlood(vec![], promise)).await;
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_the_handshake_is_given_up() {
    let (rig, receiver) = (Rig::hurried().await, Receiver::start([]).await);
    let url = receiver.url().replace("http:", "https:");
    assert_eq!(rig.failure_to(&url).await, ErrorKind::Timeout);
    assert_eq!(receiver.over().await, 0);
}

#[tokio::test]
async fn a_name_server_that_does_not_answer_is_given_up() {
    let names = NameServer::start([("hook.example", Entry::Silence)]).await;
    let platform = platform(Some(names.address), RootCertStore::empty());
    let rig = Rig::hurried_on(platform, loopback()).await;
    assert_eq!(rig.failure_to("http://hook.example/").await, ErrorKind::Timeout);
}
