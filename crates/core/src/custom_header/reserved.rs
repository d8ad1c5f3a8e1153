//! Headers that are not a user's to set.

use super::{AUTHORIZATION, HeaderName, HeaderValue};

/// Why a name is not to be had. The texts complete a sentence that begins with the header's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reservation {
    /// It says how the request or its body is to be read.
    #[error("tells how a request is to be read, which HTTP itself has to say")]
    Http,
    /// It is one of ours.
    #[error("is one of our own headers, by which receivers know and verify a request")]
    Ours,
    /// It tells who has sent a request.
    #[error("tells where a request came from, which proxies have to say")]
    Origin,
    /// It belongs to a browser's session.
    #[error("is a header of browsers")]
    Browser,
    /// It is what a cloud's metadata service asks for before it tells credentials.
    #[error("opens the metadata service of a cloud")]
    Metadata,
}

/// Names, and beginnings of names where a `*` follows, in small letters.
const RESERVED: [(Reservation, &[&str]); 5] = [
    (
        Reservation::Http,
        &[
            "host",
            "content-*",
            "transfer-encoding",
            "connection",
            "keep-alive",
            "te",
            "trailer",
            "trailers",
            "upgrade",
            "http2-settings",
            "expect",
            "proxy-*",
            "accept-encoding",
            "max-forwards",
            "date",
            // Frameworks that honour these carry out another request than the one that was sent.
            "x-http-method",
            "x-http-method-override",
            "x-method-override",
            "x-original-url",
            "x-original-host",
            "x-rewrite-url",
        ],
    ),
    (Reservation::Ours, &["user-agent", "x-preclinical-*", "webhook-*"]),
    (
        Reservation::Origin,
        &[
            "forwarded",
            "x-forwarded",
            "x-forwarded-*",
            "via",
            "x-real-ip",
            "x-client-ip",
            "x-cluster-client-ip",
            "x-originating-ip",
            "x-remote-ip",
            "x-remote-addr",
            "true-client-ip",
            "cf-connecting-ip",
            "fastly-client-ip",
        ],
    ),
    (Reservation::Browser, &["cookie", "cookie2", "set-cookie", "sec-*"]),
    (
        Reservation::Metadata,
        &[
            "metadata",
            "metadata-*",
            "x-metadata-*",
            "x-google-metadata-*",
            "x-aws-ec2-metadata-*",
            "x-aliyun-ecs-metadata-*",
            "x-identity-header",
        ],
    ),
];

/// What Oracle's metadata service takes for an authorization.
const OPENS_METADATA: &str = "bearer oracle";

/// Why the name is reserved, if it is.
///
/// Gateways of the CGI kind hand all characters but letters and digits to an application as the same one, so that `Webhook_Id`
/// would arrive there as `webhook-id`: to them, and therefore here, it is.
pub(super) fn of(name: &str) -> Option<Reservation> {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let is_meant = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == **pattern,
    };
    RESERVED.into_iter().find(|(_, patterns)| patterns.iter().any(is_meant)).map(|(why, _)| why)
}

/// Why a name cannot be had with that value, if it cannot.
pub(super) fn together(name: &HeaderName, value: &HeaderValue) -> Option<Reservation> {
    let opens = name.is(AUTHORIZATION) && value.expose().eq_ignore_ascii_case(OPENS_METADATA);
    opens.then_some(Reservation::Metadata)
}
