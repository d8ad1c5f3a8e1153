//! A client that keeps whatever it is answered, with all headers.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::task::JoinHandle;

use crate::canary::Evidence;

/// Everything that was seen so far.
pub(crate) type Seen = Arc<Mutex<Vec<Evidence>>>;

/// One server, as somebody sees it who has a key, a session, or both.
#[derive(Clone)]
pub(crate) struct Browser {
    http: Client<HttpConnector, Full<Bytes>>,
    base: String,
    seen: Seen,
    key: String,
    session: String,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Browser {
    pub(crate) fn new(base: &str, seen: &Seen, http2: bool) -> Self {
        let http = Client::builder(TokioExecutor::new()).http2_only(http2).build_http();
        Self { http, base: base.to_owned(), seen: seen.clone(), key: String::new(), session: String::new() }
    }

    /// The same with another key; none if it is empty.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// The same with another session; none if it is empty.
    pub(crate) fn with_session(&self, session: &str) -> Self {
        Self { session: session.to_owned(), ..self.clone() }
    }

    /// Sends a request and keeps the answer under its method and the pattern of its path.
    pub(crate) async fn send(&self, method: Method, path: &str, kind: &str, body: impl Into<Bytes>) -> Answer {
        let place = place(&method, path);
        let request = self.request(method, path).header(header::CONTENT_TYPE, kind).body(Full::new(body.into())).unwrap();
        let (parts, body) = self.http.request(request).await.unwrap().into_parts();
        let head = format!("{} {:?}", parts.status, parts.headers);
        let body = body.collect().await.unwrap().to_bytes();
        self.seen.lock().unwrap().push(Evidence { place, bytes: [head.as_bytes(), &body].concat() });
        Answer { status: parts.status.as_u16(), head, text: String::from_utf8_lossy(&body).into_owned() }
    }

    /// Reads a page or a resource.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "", "").await
    }

    /// Follows a stream until the server ends it; its end is the end of the task.
    pub(crate) async fn follow(&self, path: &str) -> JoinHandle<()> {
        let request = self.request(Method::GET, path).body(Full::default()).unwrap();
        let response = self.http.request(request).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let (seen, place) = (self.seen.clone(), format!("stream of {path}"));
        let mut body = Body::new(response.into_body());
        tokio::spawn(async move {
            let mut bytes = Vec::new();
            while let Some(Ok(frame)) = body.frame().await {
                bytes.extend(frame.into_data().unwrap_or_default());
            }
            seen.lock().unwrap().push(Evidence { place, bytes });
        })
    }

    fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !self.key.is_empty() && (path.starts_with("/api/v1") || path.starts_with("/events")) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.key));
        }
        if self.session.is_empty() { request } else { request.header(header::COOKIE, format!("session={}", self.session)) }
    }
}

/// `GET /webhooks/{id}`: no ids, no tokens, no query.
fn place(method: &Method, path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let pattern = path.split('/').map(|part| match part.len() {
        36 => "{id}",
        43 => "{token}",
        _ => part,
    });
    format!("{method} {}", pattern.collect::<Vec<_>>().join("/"))
}
