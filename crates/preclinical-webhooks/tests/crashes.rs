//! The binary is killed, or asked to end, at one point of its work: what it accepted arrives all the same.
//!
//! `faults.rs` breaks it at random, and counts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod harness;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use harness::{Api, Server, create_key};
use http::Method;
use preclinical_testkit::receiver::{Gate, Reaction, Receiver, Seen, answer_bytes};
use serde_json::{Value, json};
use tempfile::TempDir;

/// After how long something that should happen has failed to.
const PATIENCE: Duration = Duration::from_mins(1);

struct World {
    folder: TempDir,
    key: String,
    settings: Vec<(&'static str, &'static str)>,
}

impl World {
    fn new(schedule: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = create_key(&folder.path().join("w.db"));
        let settings = vec![("PRECLINICAL_ALLOW_CIDRS", "127.0.0.0/8"), ("PRECLINICAL_RETRY_SCHEDULE", schedule)];
        Self { folder, key, settings }
    }

    fn serve(&self) -> (Server, Arc<Api>) {
        let server = Server::start(&self.folder.path().join("w.db"), &self.settings);
        let api = Arc::new(Api::new(&server.url, &self.key));
        (server, api)
    }
}

async fn create_run(api: &Api, agent: &str) -> String {
    api.post("/runs", json!({"agent_id": agent})).await["id"].as_str().unwrap().to_owned()
}

/// A webhook to that URL, and a run that has ended for it; the run's id.
async fn end_a_run(api: &Api, url: &str) -> String {
    api.webhook(url, Some("s3cret")).await;
    let run = create_run(api, &api.agent("Assistant").await).await;
    api.post(&format!("/runs/{run}/complete"), json!({})).await;
    run
}

/// Asks until the answer is the one that is waited for.
async fn until(api: &Api, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let asked = Instant::now();
    loop {
        let answer = api.get(path).await;
        if is_so(&answer) {
            return answer;
        }
        assert!(asked.elapsed() < PATIENCE, "{path} stays {answer}");
    }
}

fn run_of(seen: &Seen) -> String {
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    body["test_run"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_its_attempts_a_delivery_goes_on_where_it_was() {
    let world = World::new("1s,1s,1s");
    let receiver = Receiver::start([Reaction::status(503), Reaction::status(503)]).await;
    let (mut server, api) = world.serve();
    let run = end_a_run(&api, &receiver.url()).await;
    let list = format!("/webhooks/deliveries?run_id={run}");
    let id = api.get(&list).await["deliveries"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/webhooks/deliveries/{id}");

    let first = receiver.next().await;
    until(&api, &path, |delivery| delivery["attempts"][0]["http_status"] == 503).await;
    server.kill();
    let (mut server, api) = world.serve();
    let second = receiver.next().await;
    until(&api, &path, |delivery| delivery["attempts"][1]["http_status"] == 503).await;
    server.kill();
    let (_server, api) = world.serve();
    let third = receiver.next().await;
    let delivery = until(&api, &path, |delivery| delivery["status"] != "pending").await;

    let statuses: Vec<_> = delivery["attempts"].as_array().unwrap().iter().map(|attempt| &attempt["http_status"]).collect();
    assert_eq!((statuses, &delivery["status"]), (vec![&json!(503), &json!(503), &json!(200)], &json!("delivered")));
    assert_eq!([&first, &second, &third].map(run_of), [run.clone(), run.clone(), run]);
    assert_eq!(first.header("webhook-id"), third.header("webhook-id"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_an_attempt_it_is_shown_as_interrupted_and_made_again() {
    let world = World::new("1h");
    let receiver = Receiver::start([Reaction::Hang]).await;
    let (mut server, api) = world.serve();
    let run = end_a_run(&api, &receiver.url()).await;
    receiver.next().await;
    server.kill();

    let (_server, api) = world.serve();
    receiver.next().await;
    let list = format!("/webhooks/deliveries?run_id={run}");
    let page = until(&api, &list, |page| page["deliveries"][0]["status"] != "pending").await;
    let id = page["deliveries"][0]["id"].as_str().unwrap();
    let delivery = api.get(&format!("/webhooks/deliveries/{id}")).await;
    assert_eq!(delivery["status"], "delivered");
    assert_eq!(delivery["attempts"][0]["error"]["kind"], "interrupted");
    assert_eq!(delivery["attempts"][1]["http_status"], 200);
}

/// Returns when the server takes no requests any more.
async fn until_closed(api: &Api) {
    let asked = Instant::now();
    while api.call(Method::GET, "/runs?limit=1", None).await.is_ok() {
        assert!(asked.elapsed() < PATIENCE, "it goes on");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_end_it_finishes_the_attempts_under_way() {
    let world = World::new("1h");
    let gate = Gate::closed();
    let receiver = Receiver::start([Reaction::BytesAfter(gate.clone(), answer_bytes(200, "", b"ok"))]).await;
    let (mut server, api) = world.serve();
    let run = end_a_run(&api, &receiver.url()).await;
    receiver.next().await;
    server.terminate();
    until_closed(&api).await;
    gate.open();
    assert!(server.wait().success(), "{}", server.log());

    let (_server, api) = world.serve();
    let page = api.get(&format!("/webhooks/deliveries?run_id={run}")).await;
    let delivery = &page["deliveries"][0];
    assert_eq!((&delivery["status"], &delivery["attempt_count"]), (&json!("delivered"), &json!(1)));
    assert_eq!(receiver.waiting().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_twice_it_ends_at_once_and_repeats_the_attempt_later() {
    let world = World::new("1h");
    let receiver = Receiver::start([Reaction::Hang]).await;
    let (mut server, api) = world.serve();
    let run = end_a_run(&api, &receiver.url()).await;
    receiver.next().await;
    server.terminate();
    until_closed(&api).await;
    server.terminate();
    assert_eq!(server.wait().code(), Some(1), "{}", server.log());

    let (_server, api) = world.serve();
    receiver.next().await;
    until(&api, &format!("/webhooks/deliveries?run_id={run}"), |page| page["deliveries"][0]["status"] == "delivered").await;
}
