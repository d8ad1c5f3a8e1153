//! The HTTP client: keeps connections, follows no redirect, asks no proxy but the operator's, and connects only to judged
//! addresses. It asks for no compression and takes none apart: an answer is read and kept as it was sent.

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, Uri};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use preclinical_core::{
    attempt::{AttemptError, ErrorKind},
    endpoint::EndpointPolicy,
    request::{WebhookRequest, header},
};

use crate::{
    answer::{self, Answer},
    connector::GuardedConnector,
    failure,
    memo::Memo,
    platform::Platform,
    stopwatch::{Stopwatch, WatchedBody},
    transport::Transport,
};

/// How long a connection is kept for the next request to the same receiver.
const IDLE: Duration = Duration::from_mins(1);

/// As many as a busy webhook uses: of its attempts under way many are answered and wait for their record.
const IDLE_PER_HOST: usize = 128;

/// The largest head of an answer over HTTP/1.1, and how many headers it may have.
const MAX_HEAD_BYTES: usize = 64 * 1024;
const MAX_HEADERS: usize = 100;

/// The largest head of an answer over HTTP/2.
const MAX_HEADER_LIST_BYTES: u32 = 16 * 1024;

/// Headers that may be printed and remembered by both ends of a connection; all others may be credentials.
const PUBLIC: [&str; 4] = ["content-type", "content-length", "user-agent", header::EVENT];

/// How much of an answer's body may be under way over HTTP/2 before it was read: on one stream, and on all of a connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// After how long without a sign of life an HTTP/2 connection with requests is asked for one, and how long that may take. Such a
/// connection is shared: one that is dead would fail every delivery to its receiver.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// A client for webhook requests; clones share their connections.
#[derive(Clone)]
pub struct WebhookClient {
    client: Client<GuardedConnector, WatchedBody>,
    policy: EndpointPolicy,
    /// What the policy allows, as it is requested.
    allowed: Arc<Memo<Uri>>,
}

impl WebhookClient {
    /// A client that resolves and trusts as `platform` does and connects to what `policy` allows.
    pub fn on(platform: Platform, policy: EndpointPolicy) -> io::Result<Self> {
        let connector = GuardedConnector::new(policy.addresses.clone(), platform)?;
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .http1_max_buf_size(MAX_HEAD_BYTES)
            .http1_max_headers(MAX_HEADERS)
            .http2_max_header_list_size(MAX_HEADER_LIST_BYTES)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .http2_keep_alive_interval(SIGN_OF_LIFE)
            .http2_keep_alive_timeout(SIGN_OF_LIFE)
            .build(connector);
        Ok(Self { client, policy, allowed: Arc::default() })
    }

    /// Sends one request to a URL that is judged first, and its addresses after it.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: impl Iterator<Item = (&str, &str)>,
        body: Bytes,
        stopwatch: &Arc<Stopwatch>,
    ) -> Result<Response<Incoming>, AttemptError> {
        let blocked = |why: String| AttemptError { kind: ErrorKind::Blocked, message: format!("blocked: {why}") };
        let mut outgoing = stopwatch.attach(body);
        *outgoing.method_mut() = method;
        *outgoing.uri_mut() = self.allowed.get(url, |url| self.judge(url)).map_err(blocked)?;
        for (name, value) in headers {
            let is_public = PUBLIC.contains(&name);
            let (Ok(name), Ok(mut value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
                return Err(blocked(format!("the header {name} cannot be sent")));
            };
            value.set_sensitive(!is_public);
            outgoing.headers_mut().append(name, value);
        }
        let response = stopwatch.head(self.client.request(outgoing)).await.map_err(|error| failure::sort(&error))?;
        // The library looks at its limit before it reads on, and may have read as much again.
        let size = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
        if size > MAX_HEAD_BYTES { Err(failure::head_too_long()) } else { Ok(response) }
    }

    fn judge(&self, url: &str) -> Result<Uri, String> {
        let url = self.policy.parse(url).map_err(|error| format!("the URL {error}"))?;
        url.as_str().parse().map_err(|_| "the URL cannot be requested".to_owned())
    }
}

#[async_trait]
impl Transport for WebhookClient {
    async fn post(&self, url: &str, request: &WebhookRequest, stopwatch: &Arc<Stopwatch>) -> Result<Answer, AttemptError> {
        // HTTP/2 has the host in another place; the client writes it where it belongs.
        let headers = request.sent_headers();
        let response = self.send(Method::POST, url, headers, request.body.clone(), stopwatch).await?;
        answer::read(response).await.map_err(|error| failure::sort(&error))
    }
}
