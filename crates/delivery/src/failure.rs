//! Why an exchange failed, sorted and put into words that name no secret, no full URL and no address behind a name.

use std::{error::Error, io};

use preclinical_core::attempt::{AttemptError, ErrorKind};

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectFailure {
    #[error("the host's name could not be resolved")]
    Dns,
    #[error("blocked: {0}")]
    Blocked(String),
    #[error("no connection: {0}")]
    Connect(std::io::ErrorKind),
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
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && (error.is_parse() || error.is_parse_status())
        {
            return not_http();
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                return AttemptError { kind: ErrorKind::Tls, message: format!("the TLS connection failed: {error}") };
            }
            // Chunks that are none.
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) {
                return not_http();
            }
        }
        cause = error.source();
    }
    AttemptError { kind: ErrorKind::Reset, message: "the connection broke before the answer was complete".into() }
}

fn not_http() -> AttemptError {
    AttemptError { kind: ErrorKind::Protocol, message: "the answer was not valid HTTP".into() }
}

fn of_connect(failure: &ConnectFailure) -> AttemptError {
    let kind = match failure {
        ConnectFailure::Dns => ErrorKind::Dns,
        ConnectFailure::Blocked(_) => ErrorKind::Blocked,
        ConnectFailure::Connect(_) => ErrorKind::Connect,
        ConnectFailure::Tls(_) => ErrorKind::Tls,
    };
    AttemptError { kind, message: failure.to_string() }
}
