use preclinical_core::attempt::ErrorKind::{Protocol, Reset};

use super::{
    Case,
    Must::{Answer, Deliver, Fail},
    check, plain,
};
use crate::rig::Rig;

#[tokio::test]
async fn status_lines() {
    let line = |name, line: &str, must| Case::says(name, format!("{line}\r\ncontent-length: 0\r\n\r\n"), must);
    let long = |length: usize| format!("HTTP/1.1 200 {}", "x".repeat(length));
    let cases = vec![
        line("sound", "HTTP/1.1 200 OK", Deliver),
        line("no reason", "HTTP/1.1 200", Deliver),
        line("an empty reason", "HTTP/1.1 200 ", Deliver),
        line("a reason in another alphabet", "HTTP/1.1 200 Добро", Deliver),
        line("a long reason", &long(60_000), Deliver),
        line("a reason that never ends", &long(200_000), Fail(Protocol)),
        line("a reason with a nul", "HTTP/1.1 200 O\u{0}K", Fail(Protocol)),
        line("a reason with an escape sequence", "HTTP/1.1 200 \u{1b}[31m", Fail(Protocol)),
        line("a status that nobody knows", "HTTP/1.1 599 ?", Answer(599)),
        line("the largest status", "HTTP/1.1 999 ?", Answer(999)),
        line("a status of two digits", "HTTP/1.1 20 OK", Fail(Protocol)),
        line("a status of four digits", "HTTP/1.1 2000 OK", Fail(Protocol)),
        line("a status below all", "HTTP/1.1 099 OK", Fail(Protocol)),
        line("a negative status", "HTTP/1.1 -200 OK", Fail(Protocol)),
        line("letters for digits", "HTTP/1.1 2OO OK", Fail(Protocol)),
        line("no status", "HTTP/1.1 OK", Fail(Protocol)),
        line("HTTP/1.0", "HTTP/1.0 200 OK", Deliver),
        line("HTTP/2 where nobody asked for it", "HTTP/2 200", Fail(Protocol)),
        line("HTTP/3.7", "HTTP/3.7 200 OK", Fail(Protocol)),
        line("lower case", "http/1.1 200 OK", Fail(Protocol)),
        line("another protocol of the kind", "ICY 200 OK", Fail(Protocol)),
        line("RTSP", "RTSP/1.0 200 OK", Fail(Protocol)),
        Case::says("mail", "220 mail.example.com ESMTP\r\n", Fail(Protocol)),
        Case::says("secure shell", "SSH-2.0-OpenSSH_9.6\r\n", Fail(Protocol)),
        Case::says("Redis", "-ERR unknown command\r\n", Fail(Protocol)),
        Case::says("a TLS alert", [21, 3, 1, 0, 2, 2, 70], Fail(Protocol)),
        Case::says("nul bytes", [0; 64], Fail(Protocol)),
        Case::says("bytes of all kinds", (0..=255).collect::<Vec<u8>>(), Fail(Protocol)),
        Case::ends("a page without a head", "<html>hello</html>", Fail(Protocol)),
        Case::ends("nothing", "", Fail(Reset)),
        Case::ends("half a status line", "HTTP/1.1 20", Fail(Reset)),
        Case::ends("a status line and no more", "HTTP/1.1 200 OK\r\n", Fail(Reset)),
    ];
    check(&Rig::new().await, cases, plain).await;
}

#[tokio::test]
async fn headers() {
    let head = |lines: &str| format!("HTTP/1.1 200 OK\r\n{lines}\r\ncontent-length: 0\r\n\r\n");
    let header = |name, lines: &str, must| Case::says(name, head(lines), must);
    let many = |number: usize| vec!["x: y"; number].join("\r\n");
    let cases = vec![
        header("no colon", "no colon", Fail(Protocol)),
        header("no name", ": value", Fail(Protocol)),
        header("no value", "x:", Deliver),
        header("a space in the name", "a b: c", Fail(Protocol)),
        header("a space before the colon", "x : y", Fail(Protocol)),
        header("a space before the name", " x: y", Fail(Protocol)),
        header("a folded line", "x: y\r\n z", Fail(Protocol)),
        header("a nul in the name", "x\u{0}: y", Fail(Protocol)),
        header("a nul in the value", "x: y\u{0}", Fail(Protocol)),
        header("an escape sequence in the value", "x: \u{1b}]0;title\u{7}", Fail(Protocol)),
        header("a bell in the value", "x: \u{7}", Fail(Protocol)),
        header("a delete in the value", "x: \u{7f}", Fail(Protocol)),
        header("a tab in the value", "x: a\tb", Deliver),
        header("a name in another alphabet", "имя: y", Fail(Protocol)),
        header("a value in another alphabet", "x: значение", Deliver),
        header("markup", "x: <script>alert(1)</script>", Deliver),
        header("what looks like a header of ours", "X-Preclinical-Signature: sha256=00", Deliver),
        header("a name of a thousand bytes", &format!("{}: y", "x".repeat(1000)), Deliver),
        header("a name of seventy thousand bytes", &format!("{}: y", "x".repeat(70_000)), Fail(Protocol)),
        header("a value of sixty thousand bytes", &format!("x: {}", "y".repeat(60_000)), Deliver),
        header("a value of seventy thousand bytes", &format!("x: {}", "y".repeat(70_000)), Fail(Protocol)),
        header("as many as are taken", &many(99), Deliver),
        header("one more than is taken", &many(100), Fail(Protocol)),
        header("ten thousand", &many(10_000), Fail(Protocol)),
        header("cookies", "set-cookie: a=b; Domain=localhost", Deliver),
        header("another service", "alt-svc: h3=\":443\"; ma=9999999", Deliver),
        header("a demand for TLS", "strict-transport-security: max-age=9999999", Deliver),
        header("a keep-alive without sense", "keep-alive: timeout=-1, max=inf", Deliver),
        header("a demand to close", "connection: close", Deliver),
        Case::says(
            "bytes that are no text in the value",
            [head("x: ").trim_end().as_bytes(), b"\r\ny: \xff\xfe\r\n\r\n"].concat(),
            Deliver,
        ),
        Case::says("line feeds alone", "HTTP/1.1 200 OK\ncontent-length: 0\n\n", Deliver),
        Case::says("a carriage return alone in the value", head("x: a\rb"), Fail(Protocol)),
        Case::ends("half a header", "HTTP/1.1 200 OK\r\nx: y", Fail(Reset)),
        Case::ends("a head without an end", "HTTP/1.1 200 OK\r\nx: y\r\n", Fail(Reset)),
    ];
    check(&Rig::new().await, cases, plain).await;
}

#[tokio::test]
async fn interim_answers() {
    let interim = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
    let sound = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let cases = vec![
        Case::says("one before the answer", format!("{interim}{sound}"), Deliver),
        Case::says("a hundred before the answer", format!("{}{sound}", interim.repeat(100)), Deliver),
        Case::says(
            "one of every number",
            (102..200).map(|n| format!("HTTP/1.1 {n} X\r\n\r\n")).collect::<Vec<_>>().concat() + sound,
            Deliver,
        ),
        Case::says(
            "a switch that nobody asked for",
            "HTTP/1.1 101 X\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
            Answer(101),
        ),
        Case::ends("no answer after one", interim, Fail(Reset)),
        Case::says("no HTTP after one", format!("{interim}hello\r\n\r\n"), Fail(Protocol)),
    ];
    check(&Rig::new().await, cases, plain).await;
}
