use jiff::SignedDuration;
use preclinical_core::attempt::ErrorKind::{Protocol, Reset};
use preclinical_testkit::receiver::{Reaction, Receiver, answer_bytes};

use super::{
    Case,
    Must::{Answer, Deliver, Fail},
    check, plain,
};
use crate::rig::Rig;

const OK: &str = "HTTP/1.1 200 OK\r\n";

#[tokio::test]
async fn lengths() {
    let length = |name, length: &str, must| Case::says(name, format!("{OK}content-length: {length}\r\n\r\nabcde"), must);
    let cases = vec![
        length("sound", "5", Deliver),
        length("shorter than the body", "2", Deliver),
        length("with zeros before", "0005", Deliver),
        length("in words", "five", Fail(Protocol)),
        length("empty", "", Fail(Protocol)),
        length("negative", "-1", Fail(Protocol)),
        length("with a plus", "+5", Fail(Protocol)),
        length("a fraction", "5.0", Fail(Protocol)),
        length("an exponent", "5e0", Fail(Protocol)),
        length("hexadecimal", "0x5", Fail(Protocol)),
        length("infinite", "inf", Fail(Protocol)),
        length("with a space within", "5 5", Fail(Protocol)),
        length("two that differ in one line", "5, 6", Fail(Protocol)),
        length("more than 64 bits", "18446744073709551616", Fail(Protocol)),
        length("a hundred digits", &"9".repeat(100), Fail(Protocol)),
        Case::says("two that differ", format!("{OK}content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef"), Fail(Protocol)),
        Case::says("the same twice", format!("{OK}content-length: 5\r\ncontent-length: 5\r\n\r\nabcde"), Deliver),
        Case::ends("longer than the body", format!("{OK}content-length: 9\r\n\r\nabcde"), Fail(Reset)),
        Case::new(
            "longer, and torn down",
            Reaction::BytesThenReset(format!("{OK}content-length: 9\r\n\r\nab").into()),
            Fail(Reset),
        ),
        Case::says(
            "none, for a status without a body",
            "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nabcde",
            Deliver,
        ),
        Case::ends("none, and the body until the end", format!("{OK}\r\nabcde"), Deliver),
    ];
    check(&Rig::new().await, cases, plain).await;
}

#[tokio::test]
async fn chunks() {
    let chunked = |body: &str| format!("{OK}transfer-encoding: chunked\r\n\r\n{body}");
    let says = |name, body: &str, must| Case::says(name, chunked(body), must);
    let coded = |name, coding: &str, must| {
        Case::ends(name, format!("{OK}transfer-encoding: {coding}\r\n\r\n2\r\nab\r\n0\r\n\r\n"), must)
    };
    let cases = vec![
        says("sound", "2\r\nab\r\n0\r\n\r\n", Deliver),
        says("in capitals and with zeros before", "000A\r\nabcdefghij\r\n0\r\n\r\n", Deliver),
        says("an extension", "2;x=y\r\nab\r\n0\r\n\r\n", Deliver),
        says("a trailer", "2\r\nab\r\n0\r\nx: y\r\n\r\n", Deliver),
        says("no size", "\r\nab\r\n0\r\n\r\n", Fail(Protocol)),
        says("a size in words", "two\r\nab\r\n0\r\n\r\n", Fail(Protocol)),
        says("a negative size", "-2\r\nab\r\n0\r\n\r\n", Fail(Protocol)),
        says("a size with a prefix", "0x2\r\nab\r\n0\r\n\r\n", Fail(Protocol)),
        says("a size beyond 64 bits", "fffffffffffffffff\r\nab", Fail(Protocol)),
        says("no line behind the data", "2\r\nabX\r\n0\r\n\r\n", Fail(Protocol)),
        says("an extension without an end", &format!("2;{}", "x".repeat(100_000)), Fail(Protocol)),
        says("trailers without an end", &format!("0\r\n{}", "x: y\r\n".repeat(20_000)), Fail(Protocol)),
        says("a nul in an extension", "2;\u{0}\r\nab\r\n0\r\n\r\n", Deliver),
        Case::ends("no last chunk", chunked("2\r\nab\r\n"), Fail(Reset)),
        Case::ends("half a chunk", chunked("9\r\nab"), Fail(Reset)),
        Case::ends("half a size", chunked("9"), Fail(Reset)),
        Case::new("torn down within a chunk", Reaction::BytesThenReset(chunked("9\r\nab").into()), Fail(Reset)),
        coded("chunked twice", "chunked, chunked", Deliver),
        coded("another coding before", "gzip, chunked", Deliver),
        coded("a coding that nobody knows", "xchunked", Deliver),
        Case::says(
            "a length as well",
            format!("{OK}content-length: 99\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"),
            Deliver,
        ),
    ];
    check(&Rig::new().await, cases, plain).await;
}

#[tokio::test]
async fn statuses() {
    let status = |name, status, headers: &str, must| Case::new(name, Reaction::answer(status, headers, b"ok"), must);
    let mut cases = vec![
        status("nothing of the document", 206, "content-range: bytes 0-1/2\r\n", Deliver),
        status("several statuses", 207, "", Deliver),
        status("a question for a password", 401, "www-authenticate: Basic realm=\"<b>\"\r\n", Answer(401)),
        status("a question for a password of a proxy", 407, "proxy-authenticate: Basic\r\n", Answer(407)),
        status("the wrong host", 421, "", Answer(421)),
        status("a demand for another protocol", 426, "upgrade: HTTP/2\r\n", Answer(426)),
        status("a network's sign-in", 511, "", Answer(511)),
        Case::says("not modified", "HTTP/1.1 304 Not Modified\r\n\r\n", Answer(304)),
        Case::says("reset of the content", "HTTP/1.1 205 Reset\r\ncontent-length: 0\r\n\r\n", Deliver),
    ];
    for code in [300, 301, 302, 303, 307, 308] {
        cases.push(status("a redirect", code, "location: http://127.0.0.2:1/\r\n", Answer(code)));
    }
    for location in ["", "//", "javascript:alert(1)", "file:///etc/passwd", "http://[", "/webhook", "\u{ff}"] {
        cases.push(status("a redirect to what is no place", 302, &format!("location: {location}\r\n"), Answer(302)));
    }
    check(&Rig::new().await, cases, plain).await;
}

#[tokio::test]
async fn bodies_are_kept_as_they_were_sent() {
    let rig = Rig::new().await;
    let bomb = vec![0x1f; 16_000];
    for (name, headers, body) in [
        ("nul bytes", "", &[0; 100][..]),
        ("every byte", "content-type: text/plain; charset=utf-8\r\n", &(0..=255).collect::<Vec<u8>>()),
        ("half a character", "content-type: application/json\r\n", b"{\"a\":\"\xe2\x82\"}"),
        ("a surrogate", "content-type: application/json\r\n", b"\xed\xa0\x80"),
        ("another byte order", "content-type: text/plain; charset=utf-16\r\n", b"\xff\xfeh\x00i\x00"),
        ("markup", "content-type: text/html\r\n", b"<script>alert(document.cookie)</script>"),
        ("escape sequences", "", b"\x1b[2J\x1b]0;owned\x07"),
        ("text that turns around", "", "\u{202e}txt.exe".as_bytes()),
        ("what says that it is compressed and is not", "content-encoding: gzip\r\n", b"not gzip"),
        ("what says that it is compressed twice", "content-encoding: gzip, br\r\n", &bomb),
        ("a coding that nobody knows", "content-encoding: \u{ff}\r\n", b"x"),
    ] {
        let (_, attempt) = rig.exchange_at(Reaction::answer(200, headers, body)).await;
        let response = attempt.response.expect(name);
        assert_eq!(
            (&response.body[..], response.size_bytes, response.truncated),
            (body, body.len() as u64, false),
            "{name}"
        );
    }
}

#[tokio::test]
async fn no_compression_is_asked_for() {
    let (rig, receiver) = (Rig::new().await, Receiver::start([]).await);
    rig.attempt_to(&receiver.url()).await;
    assert_eq!(receiver.next().await.header("accept-encoding"), None);
}

#[tokio::test]
async fn an_absurd_wish_for_patience_is_none_and_a_long_one_ends_after_a_day() {
    let rig = Rig::new().await;
    let (minute, day) = (SignedDuration::from_mins(1)..=SignedDuration::from_secs(66), SignedDuration::from_hours(24));
    let digits = "9".repeat(100);
    for (value, must) in [
        ("", minute.clone()),
        ("0", minute.clone()),
        ("-5", minute.clone()),
        ("+90", minute.clone()),
        ("inf", minute.clone()),
        ("Infinity", minute.clone()),
        ("NaN", minute.clone()),
        ("1e13", minute.clone()),
        ("90.5", minute.clone()),
        ("0x5a", minute.clone()),
        ("90 s", minute.clone()),
        ("90, 120", minute.clone()),
        ("９０", minute.clone()),
        ("soon", minute.clone()),
        ("\u{ff}\u{fe}", minute.clone()),
        ("Thu, 01 Jan 1970 00:00:00 GMT", minute.clone()),
        ("Fri, 31 Feb 2026 10:00:00 GMT", minute.clone()),
        ("Fri, 30 Jan 10000 10:00:00 GMT", minute.clone()),
        ("2026-01-30T11:00:00Z", minute.clone()),
        ("86400", day..=day),
        ("86401", day..=day),
        ("4294967296", day..=day),
        ("9223372036854775807", day..=day),
        ("18446744073709551616", day..=day),
        (&digits, day..=day),
        ("Fri, 30 Jan 2099 10:00:00 GMT", day..=day),
        ("Fri, 31 Dec 9999 23:59:59 GMT", day..=day),
    ] {
        for status in [429, 503] {
            let answer = answer_bytes(status, &format!("retry-after: {value}\r\n"), b"");
            let receiver = Receiver::start([Reaction::Bytes(answer)]).await;
            rig.point_to(&receiver.url()).await;
            let (id, summary) = rig.deliver().await;
            assert_eq!(summary.http_status, Some(status), "{value:?}");
            let wait = rig.next_attempt(id).await.duration_since(rig.world.now());
            assert!(must.contains(&wait), "{status} {value:?}: {wait}");
        }
    }
}
