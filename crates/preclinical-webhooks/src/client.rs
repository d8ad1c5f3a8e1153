//! HTTP from the command line: the API of a server, and requests that are passed on.

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use jiff::Timestamp;
use serde_json::Value;
use url::Url;

const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

/// How often a call is made again that the server was too busy for, and how long the first pause is; each next one doubles.
const REPEATS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// An HTTP client for addresses that this machine's user chose.
pub(crate) struct HttpClient(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl HttpClient {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()
            .context("this system's certificate authorities cannot be read")?
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
        let exchange = async {
            let (head, body) = self.0.request(request).await?.into_parts();
            let body = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(anyhow::Error::from_boxed)?;
            Ok::<_, anyhow::Error>(Response::from_parts(head, body.to_bytes()))
        };
        tokio::time::timeout(TIME_LIMIT, exchange).await.context("no answer within 30 s")?
    }

    /// Sends a request on as it came: the same body, and all headers that belong to it and not to the connection.
    pub(crate) async fn forward(&self, url: &Url, headers: &HeaderMap, body: Bytes) -> anyhow::Result<StatusCode> {
        let mut request = Request::post(url.as_str()).body(Full::new(body))?;
        *request.headers_mut() = headers.clone();
        for of_connection in [header::HOST, header::CONTENT_LENGTH, header::CONNECTION, header::TRANSFER_ENCODING] {
            request.headers_mut().remove(of_connection);
        }
        Ok(self.send(request).await?.status())
    }
}

/// A server's API.
pub(crate) struct ApiClient {
    http: HttpClient,
    base: String,
    key: String,
}

/// A refusal of the API.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// What the server said, as it said it.
    pub(crate) body: Value,
    /// What time it was by the server's clock, to the second before.
    pub(crate) at: Option<Timestamp>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.body["error"].as_str(), self.body["code"].as_str()) {
            (Some(sentence), Some(code)) => write!(f, "{} ({code})", crate::terminal::printable(sentence)),
            _ => write!(f, "the server answered {}", self.status),
        }
    }
}

impl std::error::Error for Refusal {}

impl ApiClient {
    /// A client of the server at `url`, which may or may not end in a slash.
    pub(crate) fn new(url: &Url, key: &str) -> anyhow::Result<Self> {
        if !matches!(url.scheme(), "http" | "https") {
            bail!("the server's address must begin with http:// or https://");
        }
        // Errors name the address, and the key is what a server asks for.
        let is_plain = url.username().is_empty() && url.password().is_none();
        if !is_plain || url.query().is_some() || url.fragment().is_some() {
            bail!("the server's address must be without user, password, query and fragment");
        }
        Ok(Self { http: HttpClient::new()?, base: url.as_str().trim_end_matches('/').to_owned(), key: key.to_owned() })
    }

    /// Reads.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, None).await
    }

    /// Writes. A call that the server was too busy for is made again; its answer says that nothing was changed.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..REPEATS {
            let (status, at, answer) = self.once(&method, path, body).await?;
            if status.is_success() {
                return Ok(answer);
            }
            if !matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
                return Err(Refusal { status, body: answer, at }.into());
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        bail!("the server at {} stays unavailable", self.base)
    }

    async fn once(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Option<Timestamp>, Value)> {
        let body = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/api/v1{path}", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body))?;
        let sent = self.http.send(request).await;
        let answer = sent.with_context(|| format!("cannot reach the server at {}", self.base))?;
        let at = answer.headers().get(header::DATE).and_then(|date| time(date.to_str().ok()?));
        Ok((answer.status(), at, serde_json::from_slice(answer.body()).unwrap_or(Value::Null)))
    }
}

/// The time in a `Date` header.
fn time(date: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
}
