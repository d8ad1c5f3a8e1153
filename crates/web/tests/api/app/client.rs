//! Somebody who calls the API.

use axum::{
    Router,
    body::Body,
    http::{Request, Response, header},
};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::Answer;

/// A URL that a webhook may have.
pub(crate) const URL: &str = "https://hooks.example.com/preclinical";

/// A caller with its `Authorization`. Paths begin behind `/api/v1`.
#[derive(Clone)]
pub(crate) struct Client {
    router: Router,
    authorization: Option<String>,
}

impl Client {
    pub(super) fn new(router: Router, authorization: Option<String>) -> Self {
        Self { router, authorization }
    }

    /// What this caller presents.
    pub(crate) fn authorization(&self) -> &str {
        self.authorization.as_deref().unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, Body::empty()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.call("PUT", path, body.to_string()).await
    }

    /// Calls with a body as it is, announced as JSON.
    pub(crate) async fn call(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        self.send(request.header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()).await
    }

    /// The same with headers.
    pub(crate) async fn call_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(request.header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()).await
    }

    /// Sends a request with this caller's `Authorization`.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::read(self.open(request).await).await
    }

    /// The same, for an answer that is not over when it begins.
    pub(crate) async fn open(&self, mut request: Request<Body>) -> Response<Body> {
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().unwrap());
        }
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Creates an agent and answers its id.
    pub(crate) async fn agent(&self, name: &str) -> String {
        let body = json!({"provider": "openai", "name": name, "config": {"api_key": "canary-of-config"}});
        self.post("/agents", body).await.id()
    }

    /// Creates a webhook and answers its id.
    pub(crate) async fn webhook(&self, url: &str, agent: Option<&str>) -> String {
        self.post("/webhooks", json!({"url": url, "agent_id": agent, "secret": "canary-of-secret"})).await.id()
    }

    /// Creates a run that starts now and answers its id.
    pub(crate) async fn run(&self, agent: &str, planned: Option<u32>) -> String {
        self.post("/runs", json!({"agent_id": agent, "total_scenarios": planned})).await.id()
    }

    /// Completes a run.
    pub(crate) async fn complete(&self, run: &str) -> Value {
        self.post(&format!("/runs/{run}/complete"), json!({})).await.is(200)
    }

    /// The deliveries that a query finds, newest first, at most 100.
    pub(crate) async fn deliveries(&self, query: &str) -> Vec<Value> {
        let mut page = self.get(&format!("/webhooks/deliveries?limit=100&{query}")).await.is(200);
        assert!(page["next_cursor"].is_null());
        std::mem::take(page["deliveries"].as_array_mut().unwrap())
    }

    /// Creates a run, completes it, and answers the one delivery's id.
    pub(crate) async fn delivered(&self, agent: &str) -> String {
        let run = self.run(agent, None).await;
        self.complete(&run).await;
        let deliveries = self.deliveries(&format!("run_id={run}")).await;
        assert_eq!(deliveries.len(), 1);
        deliveries[0]["id"].as_str().unwrap().to_owned()
    }
}
