use preclinical_core::attempt::ErrorKind::{Protocol, Reset, Timeout};
use preclinical_testkit::{
    authority::Authority,
    receiver::{
        Reaction, Receiver,
        frames::{END_HEADERS, END_STREAM, STATUS_200, field, frame, kind, settings},
    },
};

use super::{
    Case,
    Must::{Deliver, Fail},
    check,
};
use crate::rig::{Rig, loopback, platform};

/// These frames behind the settings that every server begins with.
fn after_settings(frames: &[Vec<u8>]) -> Vec<u8> {
    [settings(), frames.concat()].concat()
}

fn says(name: &'static str, frames: &[Vec<u8>], must: super::Must) -> Case {
    Case::says(name, after_settings(frames), must)
}

fn floods(name: &'static str, first: &[Vec<u8>], more: &[u8], must: super::Must) -> Case {
    Case::new(name, Reaction::BytesThenFlood(after_settings(first), more.repeat(500)), must)
}

fn head(fields: &[u8]) -> Vec<u8> {
    frame(kind::HEADERS, END_HEADERS, 1, &[STATUS_200, fields].concat())
}

fn data(bytes: &[u8]) -> Vec<u8> {
    frame(kind::DATA, END_STREAM, 1, bytes)
}

async fn run(rig: impl AsyncFn(&Authority) -> Rig, cases: Vec<Case>) {
    let authority = Authority::default();
    let start = async |does| Receiver::start_frames(authority.server("127.0.0.1", &["h2"]), [does]).await;
    check(&rig(&authority).await, cases, start).await;
}

async fn patient(authority: &Authority) -> Rig {
    Rig::on_platform(platform(None, authority.roots()), loopback()).await
}

async fn hurried(authority: &Authority) -> Rig {
    Rig::hurried_on(platform(None, authority.roots()), loopback()).await
}

#[tokio::test]
async fn heads_and_bodies() {
    let only = |fields: &[u8]| frame(kind::HEADERS, END_HEADERS | END_STREAM, 1, fields);
    let status = |value: &[u8]| field(":status", value);
    let large = field("x", &[b'y'; 100]).repeat(200);
    // An entry of nearly the whole table, and then a thousand references to it.
    let bomb = [&[0x88, 0x40, 1, b'x', 0x7f, 0x81, 0x1e][..], &[b'y'; 4000], &[0xbe; 1000]].concat();
    let cases = vec![
        says("sound", &[head(&[]), data(b"ok")], Deliver),
        says("no body", &[only(STATUS_200)], Deliver),
        says("an interim answer", &[frame(kind::HEADERS, END_HEADERS, 1, &status(b"103")), only(STATUS_200)], Deliver),
        says("bytes that are no text", &[only(&[STATUS_200, &field("x", b"\xff\xfe")].concat())], Deliver),
        says("no status", &[only(&field("x", b"y"))], Fail(Protocol)),
        says("two statuses", &[only(&[STATUS_200, STATUS_200].concat())], Fail(Protocol)),
        says("a status in words", &[only(&status(b"fine"))], Fail(Protocol)),
        says("a status of two digits", &[only(&status(b"20"))], Fail(Protocol)),
        says("a status behind a header", &[only(&[&field("x", b"y")[..], STATUS_200].concat())], Fail(Protocol)),
        says("a field of requests", &[only(&[STATUS_200, &field(":path", b"/")].concat())], Deliver),
        says("a field that nobody knows", &[only(&[STATUS_200, &field(":x", b"y")].concat())], Fail(Protocol)),
        says("a name in capitals", &[only(&[STATUS_200, &field("X", b"y")].concat())], Fail(Protocol)),
        says("a header of HTTP/1.1", &[only(&[STATUS_200, &field("connection", b"close")].concat())], Fail(Protocol)),
        says("a nul in a value", &[only(&[STATUS_200, &field("x", b"\x00")].concat())], Fail(Protocol)),
        says("a line feed in a value", &[only(&[STATUS_200, &field("x", b"a\nb: c")].concat())], Fail(Protocol)),
        says("a head beyond the limit", &[only(&[STATUS_200, &large[..16_000]].concat()), data(b"")], Fail(Protocol)),
        says("a head that unpacks beyond the limit", &[only(&bomb)], Fail(Protocol)),
        says("a reference to nothing", &[only(&[0xff, 0xff, 0x7f])], Fail(Protocol)),
        says("a table larger than was agreed on", &[only(&[0x3f, 0xe1, 0xff, 0x7f, 0x88])], Fail(Protocol)),
        says("a length that is too long", &[head(&field("content-length", b"9")), data(b"ok")], Fail(Protocol)),
        says("a length that is too short", &[head(&field("content-length", b"1")), data(b"ok")], Fail(Protocol)),
        says("a length in words", &[head(&field("content-length", b"two")), data(b"ok")], Fail(Protocol)),
        says("trailers with a status", &[head(&[]), frame(kind::DATA, 0, 1, b"ok"), only(STATUS_200)], Deliver),
    ];
    run(patient, cases).await;
}

#[tokio::test]
async fn frames() {
    let sound = [head(&[]), data(b"ok")].concat();
    let reset = |code: u32| frame(kind::RST_STREAM, 0, 1, &code.to_be_bytes());
    let goodbye = |last: u32, code: u32| frame(kind::GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat());
    let unended = frame(kind::HEADERS, 0, 1, STATUS_200);
    let cases = vec![
        Case::says("HTTP/1.1", "HTTP/1.1 200 OK\r\n\r\n", Fail(Protocol)),
        Case::says("nul bytes", [0; 64], Fail(Protocol)),
        Case::says("no settings", sound.clone(), Deliver),
        Case::ends("nothing", "", Fail(Reset)),
        Case::ends("settings and the end", settings(), Fail(Reset)),
        Case::ends("half a frame", after_settings(&[head(&[])])[..12].to_vec(), Fail(Reset)),
        Case::ends("half a body", after_settings(&[head(&[]), frame(kind::DATA, 0, 1, b"ok")]), Fail(Reset)),
        Case::new("torn down", Reaction::BytesThenReset(settings()), Fail(Reset)),
        says("a reset", &[reset(8)], Fail(Reset)),
        says("a refusal", &[reset(7)], Fail(Reset)),
        says("a demand for HTTP/1.1", &[reset(13)], Fail(Reset)),
        says("a reset within the body", &[head(&[]), reset(2)], Fail(Reset)),
        says("a reset of a code that nobody knows", &[reset(u32::MAX)], Fail(Reset)),
        says("a goodbye before the answer", &[goodbye(0, 0)], Fail(Reset)),
        says("a goodbye with a reproach", &[goodbye(0, 11)], Fail(Reset)),
        says("a goodbye after the request, and its answer", &[goodbye(1, 0), sound.clone()], Deliver),
        says("a head on no stream", &[frame(kind::HEADERS, END_HEADERS, 0, STATUS_200)], Fail(Protocol)),
        says("a head on a stream that is not there", &[frame(kind::HEADERS, END_HEADERS, 7, STATUS_200)], Fail(Protocol)),
        says("a body before its head", &[data(b"ok")], Fail(Protocol)),
        says("a body on no stream", &[frame(kind::DATA, 0, 0, b"ok")], Fail(Protocol)),
        says("a frame beyond the limit", &[frame(kind::DATA, 0, 1, &[0; 20_000])], Fail(Protocol)),
        says("settings of half a setting", &[frame(kind::SETTINGS, 0, 0, &[0; 5])], Fail(Protocol)),
        says("a window that grows by nothing", &[frame(kind::WINDOW_UPDATE, 0, 0, &[0; 4])], Fail(Protocol)),
        says("a window beyond the limit", &[frame(kind::WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff])], Fail(Protocol)),
        says(
            "a promise of another answer",
            &[frame(kind::PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2][..], STATUS_200].concat())],
            Fail(Protocol),
        ),
        says("a continuation of nothing", &[frame(kind::CONTINUATION, END_HEADERS, 1, STATUS_200)], Fail(Protocol)),
        says("a head that is interrupted", &[unended.clone(), frame(kind::PING, 0, 0, &[0; 8])], Fail(Protocol)),
        says("frames that nobody knows", &[frame(99, 0, 1, b"x"), sound], Deliver),
        floods(
            "continuations without an end",
            std::slice::from_ref(&unended),
            &frame(kind::CONTINUATION, 0, 1, &field("x", b"y")),
            Fail(Protocol),
        ),
        floods("empty pieces of a body", &[head(&[])], &frame(kind::DATA, 0, 1, &[]), Fail(Protocol)),
        floods("empty continuations without an end", &[unended], &frame(kind::CONTINUATION, 0, 1, &[]), Fail(Protocol)),
    ];
    run(patient, cases).await;
}

#[tokio::test]
async fn whoever_takes_longer_than_the_deadline_is_given_up() {
    let interim = frame(kind::HEADERS, END_HEADERS, 1, &field(":status", b"103"));
    let cases = vec![
        Case::new("no settings", Reaction::Hang, Fail(Timeout)),
        says("no head", &[], Fail(Timeout)),
        says("half a head", &[frame(kind::HEADERS, 0, 1, STATUS_200)], Fail(Timeout)),
        says("half a body", &[head(&[]), frame(kind::DATA, 0, 1, b"ok")], Fail(Timeout)),
        floods("pings", &[], &frame(kind::PING, 0, 0, &[0; 8]), Fail(Timeout)),
        floods("settings", &[], &settings(), Fail(Timeout)),
        floods("interim answers", &[], &interim, Fail(Timeout)),
        Case::new(
            "a body that drips",
            Reaction::BytesThenDrip(after_settings(&[head(&[])]), frame(kind::DATA, 0, 1, b"x")),
            Fail(Timeout),
        ),
    ];
    run(hurried, cases).await;
}
