//! HTTP/2, where the receiver offers it.

use preclinical_core::{
    attempt::{ErrorKind, KEPT_RESPONSE_BYTES},
    secret::SigningSecret,
    signature::verify_preclinical,
};
use preclinical_testkit::{
    authority::Authority,
    receiver::{
        Reaction, Receiver, StreamReaction,
        frames::{END_HEADERS, END_STREAM, STATUS_200, frame, kind, settings},
    },
};

use crate::rig::{Rig, loopback, platform};

async fn rig(authority: &Authority) -> Rig {
    Rig::on_platform(platform(None, authority.roots()), loopback()).await
}

async fn receiver(authority: &Authority, reactions: impl IntoIterator<Item = StreamReaction>) -> Receiver {
    Receiver::start_http2(authority.server("127.0.0.1", &["h2", "http/1.1"]), reactions).await
}

#[tokio::test]
async fn http2_is_spoken_where_it_is_offered_and_its_connection_shared() {
    let authority = Authority::default();
    let (rig, receiver) = (rig(&authority).await, receiver(&authority, []).await);
    for _ in 0..2 {
        let attempt = rig.attempt_to(&receiver.url()).await;
        assert_eq!(attempt.http_status, Some(200));
        let seen = receiver.next().await;
        assert!(seen.head.starts_with("POST ") && seen.head.contains(" HTTP/2.0\r\n"), "{}", seen.head);
        assert_eq!((seen.connection, &seen.body), (0, &attempt.request.unwrap().body));
        let secret = SigningSecret::parse("s3cret").unwrap();
        assert!(verify_preclinical(&secret, &seen.body, seen.header("x-preclinical-signature").unwrap()));
    }
}

#[tokio::test]
async fn a_stream_that_is_reset_fails_its_attempt_alone() {
    let authority = Authority::default();
    let (rig, receiver) = (rig(&authority).await, receiver(&authority, [StreamReaction::Reset]).await);
    assert_eq!(rig.failure_to(&receiver.url()).await, ErrorKind::Reset);
    assert_eq!(rig.attempt_to(&receiver.url()).await.http_status, Some(200));
    assert_eq!((receiver.next().await.connection, receiver.next().await.connection), (0, 0));
    assert_eq!(receiver.waiting().await, 0);
}

#[tokio::test]
async fn a_long_answer_is_cut_as_over_http1() {
    let authority = Authority::default();
    let body: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
    let receiver = receiver(&authority, [StreamReaction::Answer(200, body.clone())]).await;
    let message = rig(&authority).await.attempt_to(&receiver.url()).await.response.unwrap();
    assert_eq!((message.size_bytes, message.truncated), (1_000_000, true));
    assert_eq!(message.body, body[..KEPT_RESPONSE_BYTES]);
}

#[tokio::test]
async fn a_connection_that_gives_no_sign_of_life_is_given_up_and_not_used_again() {
    let authority = Authority::default();
    let sound = [settings(), frame(kind::HEADERS, END_HEADERS | END_STREAM, 1, STATUS_200)].concat();
    let script = [Reaction::Hang, Reaction::BytesThenHang(sound)];
    let receiver = Receiver::start_frames(authority.server("127.0.0.1", &["h2"]), script).await;
    let rig = rig(&authority).await;
    let error = rig.attempt_to(&receiver.url()).await.error.unwrap();
    assert_eq!((error.kind, &error.message[..]), (ErrorKind::Timeout, "the receiver gave no sign of life"));
    assert_eq!(rig.attempt_to(&receiver.url()).await.http_status, Some(200));
    assert_eq!((receiver.next().await.connection, receiver.next().await.connection), (0, 1));
}
