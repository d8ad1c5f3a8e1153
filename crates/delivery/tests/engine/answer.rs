//! What is kept of an answer.

use preclinical_core::{
    attempt::{ErrorKind, KEPT_RESPONSE_BYTES, Message, READ_RESPONSE_BYTES},
    delivery::DeliveryStatus,
};
use preclinical_testkit::receiver::{Reaction, Receiver};

use crate::rig::Rig;

/// What is kept of an answer that counts as a success.
async fn kept(rig: &Rig, reaction: Reaction) -> Message {
    let (status, attempt) = rig.exchange_at(reaction).await;
    assert_eq!((status, attempt.error), (DeliveryStatus::Delivered, None));
    attempt.response.unwrap()
}

fn pattern(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

fn chunked(body: &[u8], chunk: usize) -> Vec<u8> {
    let mut bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(chunk) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

fn until_close(body: &[u8]) -> Reaction {
    Reaction::BytesThenClose([b"HTTP/1.1 200 OK\r\n\r\n", body].concat())
}

#[tokio::test]
async fn a_body_up_to_the_limit_is_kept_whole() {
    let rig = Rig::new().await;
    for length in [0, 1, KEPT_RESPONSE_BYTES - 1, KEPT_RESPONSE_BYTES] {
        let body = pattern(length);
        for reaction in [Reaction::answer(200, "", &body), Reaction::Bytes(chunked(&body, 1000)), until_close(&body)] {
            let message = kept(&rig, reaction).await;
            assert_eq!((message.size_bytes, message.truncated), (length as u64, false));
            assert_eq!(message.body, body);
        }
    }
}

#[tokio::test]
async fn of_a_longer_body_the_beginning_is_kept_and_the_size() {
    let rig = Rig::new().await;
    for length in [KEPT_RESPONSE_BYTES + 1, READ_RESPONSE_BYTES - 1, READ_RESPONSE_BYTES] {
        let body = pattern(length);
        for reaction in [Reaction::answer(200, "", &body), Reaction::Bytes(chunked(&body, 4096)), until_close(&body)] {
            let message = kept(&rig, reaction).await;
            assert_eq!((message.size_bytes, message.truncated), (length as u64, true));
            assert_eq!(message.body, body[..KEPT_RESPONSE_BYTES]);
        }
    }
}

#[tokio::test]
async fn a_text_is_cut_between_two_characters() {
    let rig = Rig::new().await;
    for (character, lead) in [("é", 1), ("语", 0), ("语", 1), ("😀", 1), ("😀", 2), ("😀", 3), ("😀", 0)] {
        let text = "x".repeat(lead) + &character.repeat(KEPT_RESPONSE_BYTES);
        let whole = (KEPT_RESPONSE_BYTES - lead) / character.len() * character.len() + lead;
        for body in [text.as_bytes(), &text.as_bytes()[..=KEPT_RESPONSE_BYTES]] {
            let message = kept(&rig, Reaction::answer(200, "", body)).await;
            assert_eq!((message.size_bytes, message.truncated), (body.len() as u64, true));
            assert_eq!(message.body, text.as_bytes()[..whole], "{character} after {lead}");
        }
    }
    let broken = "é".repeat(KEPT_RESPONSE_BYTES / 2 - 1) + "x";
    let whole_but_for_its_end = &[broken.as_bytes(), b"\xc3"].concat();
    assert_eq!(kept(&rig, Reaction::answer(200, "", whole_but_for_its_end)).await.body, whole_but_for_its_end);
    let no_text = ["é".repeat(10).into_bytes(), vec![0xff], "é".repeat(KEPT_RESPONSE_BYTES).into_bytes()].concat();
    assert_eq!(kept(&rig, Reaction::answer(200, "", &no_text)).await.body, no_text[..KEPT_RESPONSE_BYTES]);
}

#[tokio::test]
async fn beyond_what_is_read_the_announced_size_counts() {
    let rig = Rig::new().await;
    let body = pattern(READ_RESPONSE_BYTES * 3);
    let message = kept(&rig, Reaction::answer(200, "", &body)).await;
    assert_eq!((message.size_bytes, message.truncated), (body.len() as u64, true));
    assert_eq!(message.body, body[..KEPT_RESPONSE_BYTES]);

    // More than a database counts to is kept as the most that it does.
    let most = i64::MAX.unsigned_abs();
    for (announced, size) in [(1 << 40, 1 << 40), (most, most), (most + 1, most), (u64::MAX - 2, most)] {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {announced}\r\n\r\n").into_bytes();
        let message = kept(&rig, Reaction::BytesThenHang([head, pattern(READ_RESPONSE_BYTES)].concat())).await;
        assert_eq!((message.size_bytes, message.truncated), (size, true), "{announced}");
    }
}

#[tokio::test]
async fn an_endless_body_is_read_to_the_limit_and_its_connection_closed() {
    let rig = Rig::new().await;
    let block = pattern(8192);
    let mut chunk = format!("{:x}\r\n", block.len()).into_bytes();
    chunk.extend(&block);
    chunk.extend(b"\r\n");
    let chunked = Reaction::BytesThenFlood(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(), chunk);
    let plain = Reaction::BytesThenFlood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), block.clone());
    for reaction in [chunked, plain] {
        let receiver = Receiver::start([reaction]).await;
        let message = rig.attempt_to(&receiver.url()).await.response.unwrap();
        assert!(message.truncated);
        let read = usize::try_from(message.size_bytes).unwrap();
        assert!((READ_RESPONSE_BYTES..READ_RESPONSE_BYTES * 3).contains(&read), "{read}");
        assert_eq!(message.body, block.repeat(2)[..KEPT_RESPONSE_BYTES]);
        assert_eq!(receiver.over().await, 0);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_before_the_limit_is_no_complete_answer() {
    let rig = Rig::new().await;
    let announced = |length: usize| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes();
    let mut cut_chunk = chunked(&pattern(2000), 1000);
    cut_chunk.truncate(1100);
    let mut no_last_chunk = chunked(&pattern(2000), 1000);
    no_last_chunk.truncate(no_last_chunk.len() - 5);
    for bytes in [
        announced(1),
        [announced(100), pattern(99)].concat(),
        [announced(READ_RESPONSE_BYTES + 1), pattern(READ_RESPONSE_BYTES - 1)].concat(),
        cut_chunk,
        no_last_chunk,
    ] {
        assert_eq!(rig.failure_at(Reaction::BytesThenClose(bytes)).await, ErrorKind::Reset);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_after_the_limit_was_read_is_an_answer() {
    let rig = Rig::new().await;
    let length = READ_RESPONSE_BYTES * 2;
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes();
    let message = kept(&rig, Reaction::BytesThenClose([head, pattern(READ_RESPONSE_BYTES)].concat())).await;
    assert_eq!((message.size_bytes, message.truncated), (length as u64, true));
}

#[tokio::test]
async fn more_than_was_announced_is_not_taken_for_the_next_answer() {
    let spare = b"HTTP/1.1 204 Spare\r\n\r\n";
    let bytes = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".as_slice(), spare].concat();
    let (rig, receiver) = (Rig::new().await, Receiver::start([Reaction::Bytes(bytes), Reaction::status(202)]).await);
    let message = rig.attempt_to(&receiver.url()).await.response.unwrap();
    assert_eq!((&message.body[..], message.size_bytes, message.truncated), (&b"ok"[..], 2, false));
    assert_eq!(receiver.over().await, 0);
    assert_eq!(rig.attempt_to(&receiver.url()).await.http_status, Some(202));
    assert_eq!(receiver.next().await.connection, 0);
    assert_eq!(receiver.next().await.connection, 1);
}

#[tokio::test]
async fn an_answer_without_a_body_is_complete() {
    let rig = Rig::new().await;
    for head in ["HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n"] {
        let message = kept(&rig, Reaction::BytesThenHang(head.as_bytes().to_vec())).await;
        assert_eq!((message.body.len(), message.size_bytes, message.truncated), (0, 0, false));
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_kept_unharmed() {
    let rig = Rig::new().await;
    let body: Vec<u8> = (0..=255).rev().collect();
    let head = format!("HTTP/1.1 200 OK\r\nX-Bytes: \x20gr\u{e9}\r\ncontent-length: {}\r\n\r\n", body.len());
    let head: Vec<u8> = head.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect();
    let message = kept(&rig, Reaction::Bytes([head, body.clone()].concat())).await;
    assert_eq!(message.body, body);
    assert_eq!(message.headers[0], ("x-bytes".to_owned(), "gr\u{e9}".to_owned()));
}

#[tokio::test]
async fn headers_are_kept_in_their_order_and_number() {
    let rig = Rig::new().await;
    let headers = "Set-Cookie: a=1\r\nX-Other: \r\nSet-Cookie: b=2\r\n";
    let message = kept(&rig, Reaction::answer(200, headers, b"")).await;
    let mut values: Vec<_> = message.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, v)| v).collect();
    assert_eq!(values.len(), 2);
    values.dedup();
    assert_eq!(values, ["a=1", "b=2"]);
    assert!(message.headers.contains(&("x-other".to_owned(), String::new())));
}

#[tokio::test]
async fn interim_answers_are_passed_over_and_a_switch_of_protocols_is_a_failure() {
    let rig = Rig::new().await;
    let interim =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n";
    let complete = [interim.as_bytes(), b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"].concat();
    let message = kept(&rig, Reaction::Bytes(complete)).await;
    assert_eq!(message.body, b"ok"[..]);

    let switch = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    let (status, attempt) = rig.exchange_at(Reaction::BytesThenHang(switch.into())).await;
    assert_eq!((status, attempt.http_status), (DeliveryStatus::Pending, Some(101)));

    let only_interim = Reaction::BytesThenClose(interim.into());
    assert_eq!(rig.failure_at(only_interim).await, ErrorKind::Reset);
}

#[tokio::test]
async fn an_answer_of_http_1_0_is_an_answer() {
    let rig = Rig::new().await;
    let message = kept(&rig, Reaction::BytesThenClose(b"HTTP/1.0 200 OK\r\n\r\nold".to_vec())).await;
    assert_eq!((&message.body[..], message.size_bytes, message.truncated), (&b"old"[..], 3, false));
}
