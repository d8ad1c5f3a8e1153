//! A client of the API, apart from the one that the binary itself uses.

use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header, request::Builder};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// `null` if it was no JSON.
    pub(crate) body: Value,
}

/// The API of one server under one key. Paths begin after `/api/v1`.
pub(crate) struct Api {
    http: Client<HttpConnector, Full<Bytes>>,
    base: String,
    key: String,
}

impl Api {
    /// A client of the server at `url`.
    pub(crate) fn new(url: &str, key: &str) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self { http, base: format!("{url}/api/v1"), key: key.to_owned() }
    }

    /// One call, whatever comes of it; an error if no complete answer came.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let body = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let request = self.request(method, path).header(header::CONTENT_TYPE, "application/json").body(Full::new(body))?;
        let response = self.http.request(request).await?;
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or_default() })
    }

    fn request(&self, method: Method, path: &str) -> Builder {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        request.header(header::AUTHORIZATION, format!("Bearer {}", self.key))
    }

    /// Asks for an answer that may be without an end, as whoever had the event of that id last.
    pub(crate) async fn listen(&self, path: &str, last_id: &str) -> Response<Body> {
        let request = self.request(Method::GET, path).header("last-event-id", last_id);
        self.http.request(request.body(Full::default()).unwrap()).await.unwrap().map(Body::new)
    }

    /// Reads what must be there.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.expect(Method::GET, path, None).await
    }

    /// Writes what must be taken.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.expect(Method::POST, path, Some(body)).await
    }

    async fn expect(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let answer = self.call(method.clone(), path, body.as_ref()).await.unwrap();
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.body);
        answer.body
    }

    /// Creates an agent; its id.
    pub(crate) async fn agent(&self, name: &str) -> String {
        let agent = self.post("/agents", json!({"provider": "openai", "name": name, "config": {}})).await;
        agent["id"].as_str().unwrap().to_owned()
    }

    /// Creates the organization's webhook; its id.
    pub(crate) async fn webhook(&self, url: &str, secret: Option<&str>) -> String {
        let webhook = self.post("/webhooks", json!({"url": url, "secret": secret})).await;
        webhook["id"].as_str().unwrap().to_owned()
    }
}
