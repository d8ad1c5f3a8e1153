//! Requests that mean one thing to a proxy and another to a server, and heads that never fit: on the wire, at the real binary. None
//! is taken for more than one request, and each ends its connection.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod harness;

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use harness::Server;

/// After how long a connection that should have ended has failed to.
const PATIENCE: Duration = Duration::from_secs(25);

/// The request that must not be answered: what it would say is in no other answer.
const HIDDEN: &str = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
const TOLD: &str = "\"status\":\"ok\"";

/// What comes to these bytes until the connection ends.
fn answers(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The server may end it before everything is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
            panic!("the connection goes on: {}", String::from_utf8_lossy(&answer))
        }
        _ => String::from_utf8_lossy(&answer).into_owned(),
    }
}

/// A request with these lines in its head, and a body.
fn request(lines: &str, body: &str) -> String {
    format!("POST /api/v1/runs HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n{body}")
}

#[test]
fn a_request_whose_end_is_in_doubt_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("w.db"), &[]);
    // What is in no doubt is answered, both of it.
    let last = HIDDEN.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    for first in [request("Content-Length: 2", "{}"), request("Transfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n")] {
        let answer = answers(&server, format!("{first}{last}").as_bytes());
        assert!(answer.matches("HTTP/1.1 ").count() == 2 && answer.contains(TOLD), "{answer}");
    }
    let chunks = format!("0\r\n\r\n{HIDDEN}");
    let cases = [
        ("a length and chunks", request("Content-Length: 5\r\nTransfer-Encoding: chunked", &chunks)),
        ("chunks and a length", request("Transfer-Encoding: chunked\r\nContent-Length: 5", &chunks)),
        ("two lengths", request("Content-Length: 0\r\nContent-Length: 40", HIDDEN)),
        ("two lengths in one line", request("Content-Length: 0, 40", HIDDEN)),
        ("a length with a sign", request("Content-Length: +5", HIDDEN)),
        ("a negative length", request("Content-Length: -1", HIDDEN)),
        ("a length in another base", request("Content-Length: 0x5", HIDDEN)),
        ("a length that is too large", request("Content-Length: 99999999999999999999999", HIDDEN)),
        ("a length behind a space", request("Content-Length : 5", HIDDEN)),
        ("chunks that are something else at the end", request("Transfer-Encoding: chunked, identity", &chunks)),
        ("chunks by a name that is almost right", request("Transfer-Encoding: xchunked", &chunks)),
        ("chunks behind a space", request("Transfer-Encoding : chunked", &chunks)),
        ("a line that is continued", request("X: a\r\n Transfer-Encoding: chunked", &chunks)),
        ("chunks in a version that has none", chunked_in_1_0(&chunks)),
        ("a chunk that is too large", request("Transfer-Encoding: chunked", "fffffffffffffffff\r\n")),
        ("a chunk of no number", request("Transfer-Encoding: chunked", &format!("zz\r\n{HIDDEN}"))),
        ("a NUL in a header", request("X: a\0b", HIDDEN)),
        ("an end of a line within a name", request("X\rY: a", HIDDEN)),
        ("more headers than anybody has", request(&"X: a\r\n".repeat(500), HIDDEN)),
        ("a header without an end", request(&format!("X: {}", "a".repeat(1 << 20)), HIDDEN)),
        ("a path without an end", format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n{HIDDEN}", "a".repeat(1 << 20))),
        ("a version that is none", format!("GET /health HTTP/9.9\r\nHost: a\r\n\r\n{HIDDEN}")),
        ("no HTTP at all", "\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n".to_owned()),
    ];
    for (name, bytes) in cases {
        let answer = answers(&server, bytes.as_bytes());
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{name} is more than one request: {answer}");
        assert!(!answer.contains(TOLD) && !answer.contains("HTTP/1.1 2"), "{name}: {answer}");
    }
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

fn chunked_in_1_0(chunks: &str) -> String {
    request("Transfer-Encoding: chunked", chunks).replace("HTTP/1.1\r\nHost", "HTTP/1.0\r\nHost")
}
