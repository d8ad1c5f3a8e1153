//! A client of the API, apart from the product's own.

use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

/// After it a call has no answer. Longer than a call may take a server, so that only one that stands still gets there.
const LIMIT: Duration = Duration::from_secs(70);

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// How.
    pub status: StatusCode,
    /// `null` if it was no JSON.
    pub body: Value,
}

/// The API under one key, of whichever node. Paths begin after `/api/v1`.
#[derive(Clone)]
pub struct Api {
    http: Client<HttpConnector, Full<Bytes>>,
    key: String,
}

impl Api {
    /// A client with this key.
    pub fn new(key: &str) -> Self {
        Self { http: Client::builder(TokioExecutor::new()).build_http(), key: key.to_owned() }
    }

    /// One call, whatever comes of it; an error if no complete answer came.
    pub async fn call(&self, node: &str, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let body = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let request = Request::builder()
            .method(method)
            .uri(format!("{node}/api/v1{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        let exchange = async {
            let response = self.http.request(request).await?;
            let status = response.status();
            let bytes = response.into_body().collect().await?.to_bytes();
            Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or_default() })
        };
        tokio::time::timeout(LIMIT, exchange).await.context("no answer")?
    }

    /// How a node says that it is.
    pub async fn health(&self, node: &str) -> anyhow::Result<StatusCode> {
        let request = Request::get(format!("{node}/health")).body(Full::default())?;
        Ok(tokio::time::timeout(LIMIT, self.http.request(request)).await.context("no answer")??.status())
    }

    /// Reads what must be there.
    pub async fn get(&self, node: &str, path: &str) -> anyhow::Result<Value> {
        self.succeed(node, Method::GET, path, None).await
    }

    /// Writes what must be taken.
    pub async fn post(&self, node: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.succeed(node, Method::POST, path, Some(body)).await
    }

    /// Creates the organization's webhook, an agent, and as many runs; their ids.
    pub async fn prepare(&self, node: &str, url: &str, secret: &str, runs: usize) -> anyhow::Result<Vec<String>> {
        self.post(node, "/webhooks", &json!({"url": url, "secret": secret})).await?;
        let agent = self.post(node, "/agents", &json!({"provider": "openai", "name": "Assistant", "config": {}})).await?;
        let creators: Vec<_> = (0..runs)
            .step_by(runs.div_ceil(CREATORS).max(1))
            .map(|first| {
                let count = runs.div_ceil(CREATORS).min(runs - first);
                let (api, node, run) = (self.clone(), node.to_owned(), json!({"agent_id": agent["id"]}));
                tokio::spawn(async move {
                    let mut created = Vec::with_capacity(count);
                    for _ in 0..count {
                        let answer = api.post(&node, "/runs", &run).await?;
                        created.push(answer["id"].as_str().context("a run without an id")?.to_owned());
                    }
                    anyhow::Ok(created)
                })
            })
            .collect();
        let mut ids = Vec::with_capacity(runs);
        for creator in creators {
            ids.extend(creator.await??);
        }
        Ok(ids)
    }

    async fn succeed(&self, node: &str, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let answer = self.call(node, method, path, body).await?;
        ensure!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.body);
        Ok(answer.body)
    }
}

/// Who create runs at once.
const CREATORS: usize = 32;
