use preclinical_core::attempt::ErrorKind::{Protocol, Timeout};
use preclinical_testkit::receiver::Reaction;

use super::{Case, Must::Fail, check, plain};
use crate::rig::Rig;

const OK: &str = "HTTP/1.1 200 OK\r\n";

/// On an engine whose deadline passes soon.
#[tokio::test]
async fn whoever_takes_longer_than_the_deadline_is_given_up() {
    let drips =
        |name, first: &str, more: &str| Case::new(name, Reaction::BytesThenDrip(first.into(), more.into()), Fail(Timeout));
    let stops = |name, bytes: &str| Case::says(name, bytes, Fail(Timeout));
    let chunked = format!("{OK}transfer-encoding: chunked\r\n\r\n");
    let cases = vec![
        Case::new("says nothing", Reaction::Hang, Fail(Timeout)),
        stops("stops in the status line", "HTTP/1"),
        stops("stops behind the status line", OK),
        stops("stops in a header's name", &format!("{OK}conte")),
        stops("stops in a header's value", &format!("{OK}x: y")),
        stops("stops before the end of the head", &format!("{OK}x: y\r\n\r")),
        stops("stops in front of the body", &format!("{OK}content-length: 1\r\n\r\n")),
        stops("stops in the body", &format!("{OK}content-length: 10\r\n\r\nab")),
        stops("stops in a body without an end", &format!("{OK}\r\nab")),
        stops("stops in a body of many exabytes", &format!("{OK}content-length: 9223372036854775807\r\n\r\nab")),
        stops("stops in a chunk's size", &format!("{chunked}2")),
        stops("stops in a chunk", &format!("{chunked}9\r\nab")),
        stops("stops before the last chunk", &format!("{chunked}2\r\nab\r\n")),
        stops("stops in the trailers", &format!("{chunked}2\r\nab\r\n0\r\nx: y")),
        stops("stops in a chunk of many exabytes", &format!("{chunked}7fffffffffffffff\r\nab")),
        stops("stops after an interim answer", "HTTP/1.1 100 Continue\r\n\r\n"),
        drips("drips its status line", "HTTP/1.1 200 ", "x"),
        drips("drips headers", OK, "x: y\r\n"),
        drips("drips a header", &format!("{OK}x: "), "y"),
        drips("drips its body", &format!("{OK}content-length: 60000\r\n\r\n"), "x"),
        drips("drips a body without an end", &format!("{OK}\r\n"), "x"),
        drips("drips chunks", &chunked, "1\r\nx\r\n"),
        drips("drips a chunk's extension", &format!("{chunked}1;"), "x"),
        drips("drips trailers", &format!("{chunked}0\r\n"), "x: y\r\n"),
        drips("drips interim answers", "", "HTTP/1.1 102 Processing\r\n\r\n"),
        drips("drips empty lines", "", "\r\n"),
        Case::new(
            "floods with interim answers",
            Reaction::BytesThenFlood(vec![], "HTTP/1.1 102 Processing\r\n\r\n".repeat(1000).into()),
            Fail(Timeout),
        ),
    ];
    check(&Rig::hurried().await, cases, plain).await;
}

#[tokio::test]
async fn whoever_says_more_than_is_taken_is_given_up_before_the_deadline() {
    let chunked = format!("{OK}transfer-encoding: chunked\r\n\r\n");
    let cases = vec![
        Case::new(
            "floods with headers",
            Reaction::BytesThenFlood(OK.into(), "x: y\r\n".repeat(1000).into()),
            Fail(Protocol),
        ),
        Case::new(
            "floods with a chunk's extension",
            Reaction::BytesThenFlood(format!("{chunked}1;").into(), vec![b'x'; 10_000]),
            Fail(Protocol),
        ),
        Case::new(
            "floods with trailers",
            Reaction::BytesThenFlood(format!("{chunked}0\r\n").into(), "x: y\r\n".repeat(1000).into()),
            Fail(Protocol),
        ),
        Case::new("floods with empty lines", Reaction::BytesThenFlood(vec![], "\r\n".repeat(10_000).into()), Fail(Protocol)),
    ];
    check(&Rig::new().await, cases, plain).await;
}
