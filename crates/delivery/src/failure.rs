//! Why an exchange failed, sorted and put into words that name no secret, no full URL and no address behind a name.

pub(crate) mod handshake;

use std::{error::Error, io};

use preclinical_core::attempt::{AttemptError, ErrorKind};

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectFailure {
    #[error("the host's name could not be resolved")]
    Dns,
    #[error("blocked: the host's name leads to an address that may not be called")]
    Blocked,
    #[error("no connection: {0}")]
    Connect(io::ErrorKind),
    #[error("no connection through the proxy: {0}")]
    Proxy(String),
    #[error("the TLS handshake failed: {0}")]
    Tls(String),
}

/// Sorts whatever went wrong by looking for its cause.
pub(crate) fn sort(error: &(dyn Error + 'static)) -> AttemptError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(failure) = error.downcast_ref::<ConnectFailure>() {
            return of_connect(failure);
        }
        if let Some(sorted) = of_hyper(error).or_else(|| of_h2(error)).or_else(|| of_io(error)) {
            return sorted;
        }
        cause = error.source();
    }
    broken("the connection broke before the answer was complete")
}

fn of_hyper(error: &(dyn Error + 'static)) -> Option<AttemptError> {
    let error = error.downcast_ref::<hyper::Error>()?;
    if error.is_parse_too_large() {
        return Some(head_too_long());
    }
    if error.is_timeout() {
        let message = "the receiver gave no sign of life".to_owned();
        return Some(AttemptError { kind: ErrorKind::Timeout, message });
    }
    (error.is_parse() || error.is_parse_status()).then(|| not_http(NOT_HTTP))
}

/// What the receiver said itself is a reset; what we found wrong with its frames is none of HTTP.
fn of_h2(error: &(dyn Error + 'static)) -> Option<AttemptError> {
    let error = error.downcast_ref::<h2::Error>()?;
    if error.is_io() {
        return None;
    }
    if error.is_library() {
        return Some(not_http(NOT_HTTP));
    }
    Some(broken(if error.is_go_away() { "the receiver ended the connection" } else { "the receiver reset the request" }))
}

fn of_io(error: &(dyn Error + 'static)) -> Option<AttemptError> {
    let error = error.downcast_ref::<io::Error>()?;
    if let Some(error) = handshake::of_tls(error) {
        let message = format!("the TLS connection failed: {}", handshake::of(error));
        return Some(AttemptError { kind: ErrorKind::Tls, message });
    }
    // Chunks that are none.
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData).then(|| not_http(NOT_HTTP))
}

/// An answer whose head is beyond what is read.
pub(crate) fn head_too_long() -> AttemptError {
    not_http("the head of the answer is too long")
}

const NOT_HTTP: &str = "the answer was not valid HTTP";

fn not_http(message: &str) -> AttemptError {
    AttemptError { kind: ErrorKind::Protocol, message: message.to_owned() }
}

fn broken(message: &str) -> AttemptError {
    AttemptError { kind: ErrorKind::Reset, message: message.to_owned() }
}

fn of_connect(failure: &ConnectFailure) -> AttemptError {
    let kind = match failure {
        ConnectFailure::Dns => ErrorKind::Dns,
        ConnectFailure::Blocked => ErrorKind::Blocked,
        ConnectFailure::Connect(_) | ConnectFailure::Proxy(_) => ErrorKind::Connect,
        ConnectFailure::Tls(_) => ErrorKind::Tls,
    };
    AttemptError { kind, message: failure.to_string() }
}
