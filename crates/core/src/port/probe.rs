//! A look at an address that a user gave, without a delivery.

use async_trait::async_trait;
use bytes::Bytes;

use crate::attempt::AttemptError;

/// How many bytes of an answer are read; more is a failure.
pub const MAX_PROBE_BYTES: usize = 1024 * 1024;

/// Requests that are no deliveries, under the same guard and the same deadline.
#[async_trait]
pub trait Prober: Send + Sync {
    /// One `GET`, with a bearer token if one is given. Redirects are not followed.
    async fn get(&self, url: &str, bearer: Option<&str>) -> Result<ProbeAnswer, AttemptError>;
}

/// A complete answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeAnswer {
    /// Its HTTP status.
    pub status: u16,
    /// Its body.
    pub body: Bytes,
}
