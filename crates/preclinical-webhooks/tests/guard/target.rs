//! A URL, set up wherever this program takes one, and everything that makes it send a request there.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::Api;

/// After how long a test that waits for something has failed: a hang becomes a message.
const PATIENCE: Duration = Duration::from_mins(2);

/// An agent whose configuration and whose webhook lead to that URL.
pub(crate) struct Target {
    url: String,
    agent: String,
    webhook: String,
}

impl Target {
    pub(crate) async fn create(api: &Api, url: &str) -> Self {
        // Whether the agent's endpoint may be called is asked when it is.
        let config = json!({"base_url": url, "api_key": "canary-of-key"});
        let agent = api.post("/agents", json!({"provider": "openai", "name": url, "config": config})).await;
        let agent = agent["id"].as_str().unwrap().to_owned();
        let webhook = api.post("/webhooks", json!({"url": url, "agent_id": agent})).await;
        Self { url: url.to_owned(), agent, webhook: webhook["id"].as_str().unwrap().to_owned() }
    }

    pub(crate) async fn send_a_test(&self, api: &Api) -> Value {
        api.post(&format!("/webhooks/{}/test", self.webhook), json!({})).await
    }

    async fn validate(&self, api: &Api) -> Value {
        api.post(&format!("/agents/{}/validate", self.agent), json!({})).await
    }

    /// Lets a run end, whose delivery is sent at once and then retried.
    pub(crate) async fn end_a_run(&self, api: &Api) {
        let run = api.post("/runs", json!({"agent_id": self.agent})).await;
        api.post(&format!("/runs/{}/complete", run["id"].as_str().unwrap()), json!({})).await;
    }

    async fn deliveries(&self, api: &Api) -> Vec<Value> {
        let page = api.get(&format!("/webhooks/{}/deliveries?limit=100", self.webhook)).await;
        page["deliveries"].as_array().unwrap().iter().filter(|delivery| delivery["is_test"] == false).cloned().collect()
    }

    /// A URL that is an address is not saved again; no test is sent, and nothing asked of the agent.
    pub(crate) async fn is_refused_where_it_is_asked_for(&self, api: &Api) {
        if !self.url.contains(".example") {
            for (method, path) in
                [(Method::POST, "/webhooks".to_owned()), (Method::PUT, format!("/webhooks/{}", self.webhook))]
            {
                let answer = api.call(method, &path, Some(&json!({"url": self.url}))).await.unwrap();
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}: {}", self.url, answer.body);
            }
        }
        let test = self.send_a_test(api).await;
        assert!(test["success"] == false && is_blocked(&test["message"]), "{}: {test}", self.url);
        let verdict = self.validate(api).await;
        assert!(verdict["valid"] == false && is_blocked(&verdict["message"]), "{}: {verdict}", self.url);
    }

    pub(crate) async fn was_blocked_by_attempt_and_retries(&self, api: &Api) {
        self.was_blocked(api, 1).await;
    }

    pub(crate) async fn was_blocked_again(&self, api: &Api) {
        self.was_blocked(api, 2).await;
    }

    async fn was_blocked(&self, api: &Api, deliveries: usize) {
        let all = self.deliveries(api).await;
        assert_eq!(all.len(), deliveries, "{}", self.url);
        for delivery in all {
            let delivery = api.get(&format!("/webhooks/deliveries/{}", delivery["id"].as_str().unwrap())).await;
            let attempts = delivery["attempts"].as_array().unwrap();
            assert_eq!((&delivery["status"], attempts.len()), (&json!("failed"), 3), "{}: {delivery}", self.url);
            for attempt in attempts {
                assert_eq!(attempt["error"]["kind"], "blocked", "{}: {delivery}", self.url);
                assert!(is_blocked(&attempt["error"]["message"]), "{}: {delivery}", self.url);
            }
        }
    }

    pub(crate) async fn redeliver(&self, api: &Api) {
        let delivery = &self.deliveries(api).await[0];
        api.post(&format!("/webhooks/deliveries/{}/redeliver", delivery["id"].as_str().unwrap()), json!({})).await;
    }

    /// By a test, a look at the agent, and a run.
    pub(crate) async fn is_reached(&self, api: &Api) {
        let test = self.send_a_test(api).await;
        assert_eq!(test["success"], true, "{}: {test}", self.url);
        assert_eq!(self.validate(api).await["details"]["http_status"], 200);
        self.end_a_run(api).await;
        until_nothing_is_pending(api).await;
        assert_eq!(self.deliveries(api).await[0]["status"], "delivered", "{}", self.url);
    }

    /// Its name leads to a public address at the first question, and to another one at the next.
    pub(crate) async fn is_reached_once(&self, api: &Api) {
        let test = self.send_a_test(api).await;
        assert_eq!(test["success"], true, "{}: {test}", self.url);
        self.end_a_run(api).await;
        until_nothing_is_pending(api).await;
        self.was_blocked(api, 1).await;
        assert!(is_blocked(&self.validate(api).await["message"]), "{}", self.url);
    }
}

fn is_blocked(message: &Value) -> bool {
    message.as_str().unwrap().contains("blocked: ")
}

/// Returns when every delivery has come to its end.
pub(crate) async fn until_nothing_is_pending(api: &Api) {
    let waiting = async {
        while api.get("/webhooks/deliveries?status=pending").await["deliveries"] != json!([]) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("deliveries do not end");
}
