//! The way to a receiver. Over the network it is [`WebhookClient`](crate::WebhookClient); a simulation has one of its own.

use std::sync::Arc;

use async_trait::async_trait;
use preclinical_core::{attempt::AttemptError, request::WebhookRequest};

use crate::{answer::Answer, stopwatch::Stopwatch};

/// Carries one request to its receiver.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Posts the request and reads the answer to its limit. The caller sets the deadline by dropping the future.
    async fn post(&self, url: &str, request: &WebhookRequest, stopwatch: &Arc<Stopwatch>) -> Result<Answer, AttemptError>;
}
