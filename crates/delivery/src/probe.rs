//! Requests that are no deliveries, through the same client.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use preclinical_core::{
    attempt::{AttemptError, ErrorKind},
    port::{MAX_PROBE_BYTES, ProbeAnswer, Prober},
    request::USER_AGENT,
};

use crate::{client::WebhookClient, failure};

/// The guarded client with a deadline of its own.
pub struct Probe {
    client: WebhookClient,
    limit: Duration,
}

impl Probe {
    /// A probe whose requests end within `limit`, from the name's resolution to the last byte.
    pub fn new(client: WebhookClient, limit: Duration) -> Self {
        Self { client, limit }
    }

    async fn exchange(&self, url: &str, bearer: Option<&str>) -> Result<ProbeAnswer, AttemptError> {
        let authorization = bearer.map(|token| format!("Bearer {token}"));
        let headers = [("user-agent", USER_AGENT), ("accept", "application/json")].into_iter();
        let headers = headers.chain(authorization.as_deref().map(|value| ("authorization", value)));
        let response = self.client.send(Method::GET, url, headers, Bytes::new(), &Arc::default()).await?;
        let status = response.status().as_u16();
        match Limited::new(response.into_body(), MAX_PROBE_BYTES).collect().await {
            Ok(body) => Ok(ProbeAnswer { status, body: body.to_bytes() }),
            Err(error) if error.is::<LengthLimitError>() => {
                let message = format!("the answer is longer than {} KiB", MAX_PROBE_BYTES / 1024);
                Err(AttemptError { kind: ErrorKind::Protocol, message })
            }
            Err(error) => Err(failure::sort(&*error)),
        }
    }
}

#[async_trait]
impl Prober for Probe {
    async fn get(&self, url: &str, bearer: Option<&str>) -> Result<ProbeAnswer, AttemptError> {
        tokio::time::timeout(self.limit, self.exchange(url, bearer)).await.unwrap_or_else(|_| {
            let message = format!("no complete answer within {} s", self.limit.as_secs_f64());
            Err(AttemptError { kind: ErrorKind::Timeout, message })
        })
    }
}
