//! Every `POST` that there is, made by several clients under one key, and made again after a crash: one effect, one answer.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use preclinical_core::port::StoreError;
use preclinical_testkit::interception::intercepted;
use preclinical_web::Call;
use serde_json::{Value, json};

use crate::app::{Answer, Client, TestApp, URL};

/// What calls can be made upon.
struct Scene {
    app: TestApp,
    agent: String,
    webhook: String,
    delivery: String,
    run: String,
}

impl Scene {
    async fn set(app: TestApp) -> Self {
        let agent = app.api.agent("Assistant").await;
        let webhook = app.api.webhook(URL, None).await;
        let delivery = app.api.delivered(&agent).await;
        let run = app.api.run(&agent, Some(1)).await;
        Self { app, agent, webhook, delivery, run }
    }

    /// The call's path and a body with which it does something.
    fn order(&self, path: &str) -> (String, Value) {
        let path = path.strip_prefix("/api/v1").unwrap();
        let result = json!({"scenario_id": "1", "scenario_name": "One", "status": "passed"});
        let (owner, body) = match path {
            "/agents" => ("", json!({"provider": "vapi", "name": "Other", "config": {}})),
            "/agents/{id}/validate" => (self.agent.as_str(), json!({})),
            "/api-keys" => ("", json!({"name": "new"})),
            "/test-suites" => ("", json!({"name": "Suite"})),
            "/webhooks" => ("", json!({"url": URL, "agent_id": self.agent})),
            "/webhooks/{id}/test" | "/webhooks/{id}/rotate-secret" => (self.webhook.as_str(), json!({})),
            "/webhooks/deliveries/{id}/redeliver" | "/webhooks/deliveries/{id}/cancel" => {
                (self.delivery.as_str(), json!({}))
            }
            "/runs" => ("", json!({"agent_id": self.agent})),
            "/runs/{id}/results" => (self.run.as_str(), json!({"results": [result]})),
            // To complete and to cancel a run; whatever another path answers, it answers once.
            _ => (self.run.as_str(), json!({})),
        };
        (path.replace("{id}", owner), body)
    }

    /// How many rows each table has, those of remembered calls apart.
    fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (table, _) in self.app.database.rows().into_iter().filter(|(table, _)| table != "calls") {
            *counts.entry(table).or_default() += 1;
        }
        counts
    }
}

fn posts() -> impl Iterator<Item = Call> {
    preclinical_web::calls().into_iter().filter(|call| call.method == "POST")
}

/// Makes the call, again for as long as another one is in progress.
async fn insist(api: Client, path: String, body: Value) -> Answer {
    loop {
        let answer = api.call_with("POST", &path, &[("idempotency-key", "one")], body.to_string()).await;
        if answer.status != 409 || answer.json()["code"] != "IDEMPOTENCY_IN_PROGRESS" {
            return answer;
        }
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

fn same(one: &Answer, other: &Answer) {
    assert_eq!((one.status, one.text()), (other.status, other.text()));
    for header in ["location", "etag", "content-type"] {
        assert_eq!(one.header(header), other.header(header), "{header}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_clients_that_race_with_one_key_one_has_an_effect_and_all_get_its_answer() {
    for call in posts() {
        let alone = Scene::set(TestApp::new().await).await;
        let (path, body) = alone.order(&call.path);
        let expected = alone.app.api.post(&path, body).await;
        let raced = Scene::set(TestApp::new().await).await;
        let (path, body) = raced.order(&call.path);
        let clients: Vec<_> =
            (0..8).map(|_| tokio::spawn(insist(raced.app.api.clone(), path.clone(), body.clone()))).collect();
        let mut answers = Vec::new();
        for client in clients {
            answers.push(client.await.unwrap());
        }
        for answer in &answers {
            assert_eq!(answer.status, expected.status, "{} {}", call.path, answer.text());
            same(answer, &answers[0]);
        }
        let first = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_none()).count();
        assert_eq!(first, 1, "{}", call.path);
        assert_eq!(raced.counts(), alone.counts(), "{}", call.path);
        assert_eq!(raced.app.handoff.sent().len(), alone.app.handoff.sent().len(), "{}", call.path);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_answer_was_lost_in_a_crash_is_answered_after_it_without_a_second_effect() {
    for call in posts().filter(|call| !call.path.ends_with("/test")) {
        let crashed = Arc::new(AtomicBool::new(true));
        let is_crashed = Arc::clone(&crashed);
        let app = TestApp::over(|store| {
            intercepted(store, move |method| match method {
                "keep_answer" if is_crashed.load(SeqCst) => Err(StoreError::Unavailable("on purpose".into())),
                _ => Ok(()),
            })
        });
        let scene = Scene::set(app.await).await;
        let (path, body) = scene.order(&call.path);
        let lost = insist(scene.app.api.clone(), path.clone(), body.clone()).await;
        crashed.store(false, SeqCst);
        scene.app.world.store.void_dead_leases(scene.app.world.now()).await.unwrap();
        scene.app.pass(1);
        let counts = scene.counts();

        let again = insist(scene.app.api.clone(), path, body).await;
        assert_eq!(again.header("idempotency-replayed"), None, "{} is carried out again", call.path);
        if call.path.ends_with("/rotate-secret") || call.path.ends_with("/api-keys") {
            assert_eq!(again.status, lost.status, "{}", again.text());
            assert_eq!(again.json()["id"], lost.json()["id"], "the secret is another: the first was never seen");
        } else if call.path.ends_with("/deliveries/{id}/cancel") {
            again.refuses_state("canceled");
        } else {
            assert_eq!((again.status, again.text()), (lost.status, lost.text()), "{}", call.path);
            assert_eq!(again.header("location"), lost.header("location"));
        }
        assert_eq!(scene.counts(), counts, "{}", call.path);
    }
}
