//! Attempts: single HTTP requests, how they can end, and what is kept of them.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::{request::Headers, retry_after::RetryAfter, timing::Timing};

/// How many bytes of an answer the history keeps.
pub const KEPT_RESPONSE_BYTES: usize = 16 * 1024;

/// How many bytes of an answer are read to learn its size, before the connection is closed.
pub const READ_RESPONSE_BYTES: usize = 64 * 1024;

/// Why an attempt got no complete answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The host's name could not be resolved.
    Dns,
    /// No connection could be made.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The time limit of the whole attempt passed.
    Timeout,
    /// The URL or its address may not be called.
    Blocked,
    /// The connection broke.
    Reset,
    /// What came back was not HTTP.
    Protocol,
    /// This program ended in between; nobody knows whether the request arrived.
    Interrupted,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 8] =
        [Self::Dns, Self::Connect, Self::Tls, Self::Timeout, Self::Blocked, Self::Reset, Self::Protocol, Self::Interrupted];

    /// The kind on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Blocked => "blocked",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
            Self::Interrupted => "interrupted",
        }
    }

    /// The kind of that name; `None` for every other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Why an attempt got no complete answer, in words for the webhook's owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptError {
    /// The class of the failure.
    pub kind: ErrorKind,
    /// A sentence without secrets, payload or full URL.
    pub message: String,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A complete answer came, up to the limit of what is read.
    Answered {
        /// Its HTTP status.
        status: u16,
        /// Its `Retry-After`, if it could be read.
        retry_after: Option<RetryAfter>,
    },
    /// None came.
    Failed(AttemptError),
}

impl Outcome {
    /// Whether the receiver took the event: any 2xx.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Answered { status: 200..=299, .. })
    }

    /// The HTTP status, if an answer came.
    pub fn http_status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            Self::Failed(_) => None,
        }
    }
}

/// One direction of the conversation, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The headers, which copies share; bytes outside ASCII are kept as the characters of the same number (Latin-1).
    pub headers: Arc<Headers>,
    /// The body, up to [`KEPT_RESPONSE_BYTES`] of an answer, all of a request.
    pub body: Bytes,
    /// The body's true size as far as it was read, in bytes.
    pub size_bytes: u64,
    /// Whether `body` is less than what was received or announced.
    pub truncated: bool,
}

/// An attempt as the history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the documented ones of the API")]
pub struct Attempt {
    pub number: u32,
    pub started_at: Timestamp,
    pub duration_ms: Option<u64>,
    pub timing: Timing,
    pub http_status: Option<u16>,
    pub error: Option<AttemptError>,
    /// Missing while the attempt is under way and after one that was interrupted.
    pub request: Option<Message>,
    pub response: Option<Message>,
}
