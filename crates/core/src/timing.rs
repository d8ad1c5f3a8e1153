//! Where the time of an attempt went.

use std::time::Duration;

/// How long the parts of an attempt took, by a clock that never jumps, in whole microseconds.
///
/// A part that did not happen has no time: an address is not resolved, a plain connection has no handshake, and a connection that
/// was there already has none of the first three. The part in which an attempt failed has the time that was spent in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// Resolving the host's name.
    pub resolve: Option<Duration>,
    /// Making the TCP connection, all addresses that were tried together.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the beginning of the request's writing until the head of its answer was there.
    pub first_byte: Option<Duration>,
}
