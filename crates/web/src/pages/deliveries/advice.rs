//! What an attempt came to in plain words, and what to do about it.

use preclinical_core::{
    attempt::{Attempt, AttemptError, ErrorKind, Message},
    timing::Timing,
};

/// A result and the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Advice {
    pub(super) what: &'static str,
    /// Empty where there is nothing to do.
    pub(super) next_step: &'static str,
    /// Whether the receiver sent a page for people in place of an answer for programs.
    pub(super) is_web_page: bool,
}

/// What to say about an attempt.
pub(super) fn advice(attempt: &Attempt) -> Advice {
    let (what, next_step) = match (attempt.http_status, &attempt.error) {
        (Some(status), _) => of_status(status),
        (None, Some(error)) => of_error(error, &attempt.timing),
        (None, None) => ("The request is under way.", ""),
    };
    let is_refusal = attempt.http_status.is_some_and(|status| !(200..300).contains(&status));
    let is_web_page = is_refusal && attempt.response.as_ref().is_some_and(is_web_page);
    Advice { what, next_step, is_web_page }
}

fn of_error(error: &AttemptError, timing: &Timing) -> (&'static str, &'static str) {
    match error.kind {
        ErrorKind::Dns => (
            "The host’s name could not be found.",
            "Check how the host is spelled in the webhook’s URL, and that its DNS record can be seen from this server.",
        ),
        ErrorKind::Connect => of_connect(&error.message),
        ErrorKind::Tls => of_tls(&error.message),
        ErrorKind::Timeout => of_timeout(timing),
        ErrorKind::Blocked => (
            "This server may not call that address or port.",
            "Use a public address and a port of HTTP. For a receiver in your own network, have its range added to PRECLINICAL_ALLOW_CIDRS.",
        ),
        ErrorKind::Reset => (
            "The connection broke before the answer was complete.",
            "Look for a crash, a restart or a limit of size in the receiver, and in the proxy before it.",
        ),
        ErrorKind::Protocol => (
            "What came back was not HTTP.",
            "Check the port: another service may listen there, or one that wants https instead of http.",
        ),
        ErrorKind::Interrupted => (
            "This server stopped during the attempt, so nobody knows whether the request arrived.",
            "Nothing to do: the next attempt has the same ids, by which the receiver knows a repetition.",
        ),
    }
}

fn of_connect(message: &str) -> (&'static str, &'static str) {
    if message.contains("through the proxy") {
        return (
            "The proxy through which this server sends made no connection.",
            "Ask whoever runs this server whether the proxy is up and may call the receiver’s address.",
        );
    }
    if message.contains("refused") {
        return (
            "The connection was refused: nothing listens on that port.",
            "Start the receiver, or correct the port in the webhook’s URL.",
        );
    }
    ("No connection could be made.", "Check that the receiver is up, and that a firewall lets this server reach it.")
}

/// The words are those of the engine, or of the TLS library in what earlier versions kept.
fn of_tls(message: &str) -> (&'static str, &'static str) {
    let message = message.to_ascii_lowercase().replace(' ', "");
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["notvalidforname", "madeoutforanothername"]) {
        (
            "The certificate is made out for another name.",
            "Use the name in the URL that the certificate is made out for, or get one for this name.",
        )
    } else if says(&["notvalidyet", "notyetvalid"]) {
        ("The certificate is not valid yet.", "Check the clock of this server, and from when on the certificate is valid.")
    } else if says(&["expired"]) {
        ("The certificate has expired.", "Renew the receiver’s certificate.")
    } else if says(&["unknownissuer", "self-signed", "selfsigned", "causedasendentity", "issuerisnottrusted"]) {
        (
            "The certificate comes from somebody whom this server does not trust.",
            "Have the receiver send its whole chain, or install your own authority in the system of this server.",
        )
    } else if says(&["invalidcontenttype", "corruptmessage", "doesnotspeaktls"]) {
        (
            "The receiver does not speak TLS on that port.",
            "Use http in the URL, or the port on which the receiver takes https.",
        )
    } else {
        (
            "The connection could not be secured.",
            "Check the receiver’s TLS: its certificate, and that it takes TLS 1.2 or 1.3.",
        )
    }
}

/// How far it came tells what to look at. The part that the time ran out in is the last one that took any.
fn of_timeout(timing: &Timing) -> (&'static str, &'static str) {
    if timing.first_byte.is_some() {
        return (
            "The receiver was reached and did not answer in time.",
            "Have it answer first and work afterwards: any 2xx is enough, within the limit.",
        );
    }
    if timing.tls.is_some() {
        return (
            "The receiver was reached, and the connection was not secured in time.",
            "Check that the receiver speaks TLS on that port, and that it is not overloaded.",
        );
    }
    if timing.connect.is_some() {
        return (
            "No connection was made in time.",
            "A firewall may drop what this server sends. Check that it lets it through, and the port in the URL.",
        );
    }
    if timing.resolve.is_some() {
        return ("The host’s name was not found in time.", "Check the name servers of this server and those of the host.");
    }
    (
        "No complete answer came in time.",
        "Have the receiver answer first and work afterwards. If it is not reached at all, look at the firewall.",
    )
}

fn of_status(status: u16) -> (&'static str, &'static str) {
    match status {
        200..=299 => ("The receiver took it.", ""),
        300..=399 => (
            "The receiver sent a redirect, and redirects are not followed.",
            "Put the final URL into the webhook; the answer’s location header names it.",
        ),
        400 => (
            "The receiver did not accept the request.",
            "Its answer below may say which part of the body it did not expect.",
        ),
        401 | 403 => (
            "The receiver did not let the request in.",
            "Check the signing secret on both sides, and whether the receiver asks for a sign-in of its own.",
        ),
        404 => (
            "There is nothing at that path.",
            "Check the path of the webhook’s URL, and that the receiver’s route is deployed.",
        ),
        405 => (
            "The receiver does not take POST there.",
            "Check the path of the webhook’s URL, and for which method its route is made.",
        ),
        408 => (
            "The receiver gave up waiting for the request.",
            "Nothing to do if it happens once; otherwise look at the proxy before the receiver.",
        ),
        409 => (
            "The receiver reports a conflict.",
            "It may know this delivery already. It should answer a repetition with 2xx.",
        ),
        410 => (
            "The receiver said that it is gone for good, so the webhook was disabled.",
            "Set another URL, or enable the webhook again if that was a mistake.",
        ),
        413 => (
            "The body is too long for the receiver.",
            "Raise the limit of size in the receiver, and in the proxy before it.",
        ),
        415 => ("The receiver does not take JSON.", "Have it accept the content type application/json."),
        422 => (
            "The receiver understood the body and did not accept it.",
            "Its answer below may say which field it did not expect.",
        ),
        429 => (
            "The receiver has too much to do.",
            "If attempts are left, the next one waits as long as a Retry-After asks. Raise its limit if this happens often.",
        ),
        503 => (
            "The receiver is not available now.",
            "If attempts are left, the next one waits as long as a Retry-After asks. If it goes on, look into the receiver’s log.",
        ),
        500..=599 => {
            ("The receiver, or a proxy before it, failed.", "Look into the receiver’s log at the time of the attempt.")
        }
        _ => ("The receiver did not take it.", "Any 2xx says that it did: have the receiver answer with one."),
    }
}

fn is_web_page(response: &Message) -> bool {
    let is_html = |(name, value): &(String, String)| {
        name.eq_ignore_ascii_case("content-type") && value.trim_start().to_ascii_lowercase().starts_with("text/html")
    };
    let start: Vec<u8> = response.body.trim_ascii_start().iter().take(14).map(u8::to_ascii_lowercase).collect();
    response.headers.iter().any(is_html) || start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    fn attempt() -> Attempt {
        Attempt {
            number: 1,
            started_at: Timestamp::UNIX_EPOCH,
            duration_ms: Some(12),
            timing: Timing::default(),
            http_status: None,
            error: None,
            request: None,
            response: None,
        }
    }

    fn failed(kind: ErrorKind, message: &str) -> Advice {
        advice(&Attempt { error: Some(AttemptError { kind, message: message.to_owned() }), ..attempt() })
    }

    fn answered(status: u16) -> Advice {
        advice(&Attempt { http_status: Some(status), ..attempt() })
    }

    #[test]
    fn every_failure_has_its_own_words_and_a_next_step() {
        for (kind, message, what, next_step) in [
            (ErrorKind::Dns, "the host's name could not be resolved", "name could not be found", "DNS record"),
            (ErrorKind::Connect, "no connection: connection refused", "refused", "port"),
            (ErrorKind::Connect, "no connection: host unreachable", "No connection", "firewall"),
            (ErrorKind::Tls, "invalid peer certificate: certificate expired: verification time 1", "expired", "Renew"),
            (ErrorKind::Tls, "invalid peer certificate: Expired", "expired", "Renew"),
            (ErrorKind::Tls, "invalid peer certificate: UnknownIssuer", "does not trust", "whole chain"),
            (ErrorKind::Tls, "certificate not valid for name \"a.example\"", "another name", "made out for"),
            (ErrorKind::Tls, "invalid peer certificate: NotValidForName", "another name", "made out for"),
            (ErrorKind::Tls, "certificate not valid yet: verification time 1", "not valid yet", "clock"),
            (ErrorKind::Tls, "received corrupt message of type InvalidContentType", "does not speak TLS", "http in"),
            (ErrorKind::Tls, "received fatal alert: HandshakeFailure", "could not be secured", "TLS 1.2"),
            (ErrorKind::Timeout, "no complete answer within 15 s", "in time", "answer first"),
            (ErrorKind::Blocked, "blocked: the host's name leads to an address", "may not call", "PRECLINICAL_ALLOW_CIDRS"),
            (
                ErrorKind::Connect,
                "no connection through the proxy: it cannot be reached: connection refused",
                "proxy",
                "Ask",
            ),
            (ErrorKind::Tls, "the TLS handshake failed: the certificate has expired", "expired", "Renew"),
            (ErrorKind::Tls, "failed: the certificate is not valid yet", "not valid yet", "clock"),
            (ErrorKind::Tls, "failed: the certificate is made out for another name", "another name", "made out for"),
            (
                ErrorKind::Tls,
                "failed: the certificate is self-signed, or its issuer is not trusted",
                "does not trust",
                "chain",
            ),
            (ErrorKind::Tls, "failed: the receiver does not speak TLS on that port", "does not speak TLS", "http in"),
            (ErrorKind::Tls, "failed: the receiver has no version or cipher in common", "could not be secured", "TLS 1.2"),
            (ErrorKind::Reset, "the connection broke", "broke", "crash"),
            (ErrorKind::Protocol, "the answer was not valid HTTP", "not HTTP", "port"),
            (ErrorKind::Interrupted, "", "nobody knows", "same ids"),
        ] {
            let advice = failed(kind, message);
            assert!(advice.what.contains(what) && advice.next_step.contains(next_step), "{message}: {advice:?}");
        }
    }

    #[test]
    fn a_timeout_is_told_by_how_far_the_attempt_came() {
        let some = Some(Duration::from_secs(1));
        for (timing, what) in [
            (Timing::default(), "No complete answer"),
            (Timing { resolve: some, ..Timing::default() }, "name was not found in time"),
            (Timing { resolve: some, connect: some, ..Timing::default() }, "No connection"),
            (Timing { connect: some, tls: some, ..Timing::default() }, "not secured in time"),
            (Timing { connect: some, tls: some, first_byte: some, ..Timing::default() }, "did not answer"),
            (Timing { first_byte: some, ..Timing::default() }, "did not answer"),
        ] {
            let error = Some(AttemptError { kind: ErrorKind::Timeout, message: String::new() });
            let advice = advice(&Attempt { error, timing, ..attempt() });
            assert!(advice.what.contains(what), "{timing:?}: {advice:?}");
        }
    }

    #[test]
    fn every_status_has_words_and_a_next_step_unless_it_is_a_success() {
        for (status, what, next_step) in [
            (301, "not followed", "final URL"),
            (308, "not followed", "final URL"),
            (400, "did not accept", "body"),
            (401, "let the request in", "secret"),
            (403, "let the request in", "secret"),
            (404, "nothing at that path", "path"),
            (405, "does not take POST", "path"),
            (410, "disabled", "another URL"),
            (413, "too long", "limit"),
            (415, "JSON", "application/json"),
            (429, "too much", "Retry-After"),
            (500, "failed", "log"),
            (503, "not available", "Retry-After"),
            (599, "failed", "log"),
            (418, "did not take it", "2xx"),
        ] {
            let advice = answered(status);
            assert!(advice.what.contains(what) && advice.next_step.contains(next_step), "{status}: {advice:?}");
        }
        for status in [200, 204, 299] {
            assert_eq!((answered(status).what, answered(status).next_step), ("The receiver took it.", ""));
        }
        assert_eq!((300..=599).find(|status| answered(*status).next_step.is_empty()), None);
        assert_eq!(advice(&attempt()).what, "The request is under way.");
    }

    #[test]
    fn a_web_page_in_place_of_an_answer_is_named() {
        let with = |status, kind: &str, body: &'static [u8]| {
            let headers = vec![("content-type".to_owned(), kind.to_owned())];
            let response =
                Message { headers: headers.into(), body: body.into(), size_bytes: body.len() as u64, truncated: false };
            advice(&Attempt { http_status: Some(status), response: Some(response), ..attempt() }).is_web_page
        };
        assert!(with(502, "text/html; charset=utf-8", b"oh"));
        assert!(with(404, "", b"\n <!DOCTYPE HTML><title>"));
        assert!(with(404, "application/json", b"<html lang=en>"));
        assert!(!with(404, "application/json", b"{\"error\":\"<html>\"}"));
        assert!(!with(200, "text/html", b"<html>"), "it took it");
    }
}
