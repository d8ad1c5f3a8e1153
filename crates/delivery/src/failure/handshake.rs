//! Why a TLS handshake failed, in words of a closed set: nothing that a receiver wrote into its certificate is repeated.

use std::io;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

/// What to say of an error of a handshake.
pub(crate) fn in_words(error: &io::Error) -> String {
    match of_tls(error) {
        Some(error) => of(error).to_owned(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => "the receiver ended the connection".to_owned(),
        None => format!("the connection broke: {}", error.kind()),
    }
}

/// The error of the TLS library inside one of a connection.
pub(crate) fn of_tls(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// What to say of an error of the TLS library.
pub(crate) fn of(error: &Error) -> &'static str {
    match error {
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::NoCertificatesPresented => "the receiver has no certificate",
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            "the receiver does not speak TLS on that port"
        }
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "the receiver sent what is not valid TLS"
        }
        Error::PeerMisbehaved(_) | Error::PeerSentOversizedRecord | Error::DecryptError => {
            "the receiver does not keep to the rules of TLS"
        }
        Error::PeerIncompatible(_) | Error::NoApplicationProtocol => NOTHING_IN_COMMON,
        Error::AlertReceived(alert) => of_alert(*alert),
        _ => "the connection could not be secured",
    }
}

const NOTHING_IN_COMMON: &str = "the receiver has no version or cipher in common with this server: it takes TLS 1.2 and 1.3";

fn of_certificate(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "the certificate is not valid yet",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is made out for another name"
        }
        // The latter of somebody who calls himself as a trusted one does.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the certificate is self-signed, or its issuer is not trusted"
        }
        CertificateError::Revoked => "the certificate was revoked",
        CertificateError::BadEncoding | CertificateError::UnhandledCriticalExtension => "the certificate cannot be read",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the certificate is not one of a server"
        }
        // Among them an authority's own certificate, which cannot be a server's.
        _ => "the certificate is self-signed, or cannot be used",
    }
}

fn of_alert(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            NOTHING_IN_COMMON
        }
        AlertDescription::NoApplicationProtocol => "the receiver speaks neither HTTP/1.1 nor HTTP/2 over TLS",
        AlertDescription::UnrecognisedName => "the receiver does not know the host's name",
        AlertDescription::CertificateRequired => "the receiver wants a certificate of this server, which has none",
        _ => "the receiver refused the connection",
    }
}
