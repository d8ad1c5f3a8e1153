//! One of everything that an organization can have.

use serde_json::json;

use crate::app::{Client, NOBODY, TestApp, URL};

/// The ids of what an organization has.
pub(super) struct Estate {
    pub(super) agent: String,
    pub(super) webhook: String,
    pub(super) delivery: String,
    pub(super) run: String,
    pub(super) key: String,
    pub(super) job: String,
    final_run: String,
    suite: String,
}

impl Estate {
    /// Fills an organization that has nothing.
    pub(super) async fn of(api: &Client) -> Self {
        let agent = api.agent("Assistant").await;
        let webhook = api.webhook(URL, None).await;
        let final_run = api.run(&agent, None).await;
        api.complete(&final_run).await;
        let delivery = api.deliveries("").await[0]["id"].as_str().unwrap().to_owned();
        let run = api.run(&agent, Some(1)).await;
        let key = api.post("/api-keys", json!({"name": "of the estate"})).await.id();
        let suite = api.post("/test-suites", json!({"name": "Emergencies"})).await.id();
        let job = job(api).await;
        Self { agent, webhook, delivery, run, key, job, final_run, suite }
    }

    /// Every id, each beside one of its kind that nothing has.
    pub(super) fn ids(&self) -> [(&str, &str); 9] {
        [
            (&self.agent, NOBODY),
            (&self.webhook, NOBODY),
            (&self.delivery, NOBODY),
            (&self.run, NOBODY),
            (&self.final_run, NOBODY),
            (&self.key, NOBODY),
            (&self.job, NOBODY),
            (&self.suite, NOBODY),
            ("TR-00004", "TR-00099"),
        ]
    }
}

/// A bulk redelivery that is not done: of what a disabled webhook left behind.
async fn job(api: &Client) -> String {
    let agent = api.agent("Muted").await;
    let webhook = api.webhook(URL, Some(&agent)).await;
    api.delivered(&agent).await;
    api.put(&format!("/webhooks/{webhook}"), json!({"is_enabled": false})).await.is(200);
    api.post("/webhooks/redeliveries", json!({"status": "canceled"})).await.is(202)["id"].as_str().unwrap().to_owned()
}

/// A new key of `acme` for everything: whoever calls with it, and its id.
pub(super) async fn key(app: &TestApp, name: &str) -> (Client, String) {
    let created = app.api.post("/api-keys", json!({"name": name})).await.is(201);
    let client = app.presenting(Some(&format!("Bearer {}", created["key"].as_str().unwrap())));
    (client, created["id"].as_str().unwrap().to_owned())
}
