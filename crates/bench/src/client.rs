//! The HTTP client: the library and the settings of the delivery engine, without what guards it.

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use preclinical_core::request::WebhookRequest;
use serde_json::Value;

use crate::sample;

/// Connections kept for the next request: as many as the relay uses at once, so that it never has to connect anew.
pub(crate) const IDLE_PER_HOST: usize = 512;

const IDLE: Duration = Duration::from_mins(1);
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// A client; clones share their connections.
#[derive(Clone)]
pub(crate) struct HttpClient(Client<HttpConnector, Full<Bytes>>);

impl HttpClient {
    /// A client that keeps up to `idle` connections.
    pub(crate) fn new(idle: usize) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(idle)
                .http1_max_buf_size(MAX_HEAD_BYTES)
                .build(connector),
        )
    }

    /// Posts a webhook and reads the whole answer; anything but 2xx is an error.
    pub(crate) async fn deliver(&self, to: &Uri, webhook: &WebhookRequest) -> anyhow::Result<()> {
        let mut request = Request::new(Full::new(webhook.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = to.clone();
        for (name, value) in &webhook.headers {
            request.headers_mut().append(HeaderName::try_from(name.as_str())?, HeaderValue::try_from(value.as_str())?);
        }
        self.exchange(request).await.map(drop)
    }

    /// Sends a request and reads the whole answer; anything but 2xx is an error.
    pub(crate) async fn exchange(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Bytes> {
        let response = self.0.request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status.is_success() { Ok(body) } else { Err(Refused { status, body }.into()) }
    }
}

/// An answer that was not 2xx.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    body: Bytes,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "answered {}: {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

impl std::error::Error for Refused {}

/// The API of a server, or of what stands in for one.
#[derive(Clone)]
pub(crate) struct Api {
    client: HttpClient,
    base: String,
    authorization: HeaderValue,
}

impl Api {
    /// The API at `base`, called over up to `connections` connections.
    pub(crate) fn new(base: &str, key: &str, connections: usize) -> anyhow::Result<Self> {
        let authorization = HeaderValue::try_from(format!("Bearer {key}")).context("the key cannot be sent")?;
        Ok(Self { client: HttpClient::new(connections), base: base.to_owned(), authorization })
    }

    /// Ends a run. `Ok` means that the server accepted it.
    pub(crate) async fn complete(&self, run: &str) -> anyhow::Result<()> {
        let path = format!("/api/v1/runs/{run}/complete");
        self.call(Method::POST, &path, Bytes::from_static(sample::COMPLETION.as_bytes())).await.map(drop)
    }

    /// Reads.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.call(Method::GET, path, Bytes::new()).await?)?)
    }

    /// Writes.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.call(Method::POST, path, serde_json::to_vec(body)?.into()).await?)?)
    }

    /// Creates a resource and answers its id.
    pub(crate) async fn create(&self, path: &str, body: &Value) -> anyhow::Result<String> {
        match self.post(path, body).await?["id"].as_str() {
            Some(id) => Ok(id.to_owned()),
            None => bail!("what {path} created has no id"),
        }
    }

    /// Sends `body` and answers that of a 2xx; anything else is an error.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Bytes> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, self.authorization.clone())
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(Full::new(body))?;
        self.client.exchange(request).await.with_context(|| format!("calling {path}"))
    }
}
