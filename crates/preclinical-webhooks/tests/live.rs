//! Streams of events of a real server, over real connections.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod harness;

use std::time::Duration;

use axum::body::Body;
use harness::{Api, Server, create_key};
use http::Method;
use http_body_util::BodyExt;
use preclinical_testkit::receiver::{Reaction, Receiver};
use serde_json::{Value, json};
use tempfile::TempDir;

/// After how long something that should happen has failed to.
const PATIENCE: Duration = Duration::from_mins(1);

/// A stream as a client reads it; dropping it cuts the connection.
struct Stream {
    body: Body,
    pending: String,
    last_id: String,
}

impl Stream {
    async fn open(api: &Api, path: &str, last_id: &str) -> Self {
        let response = api.listen(path, last_id).await;
        assert_eq!(response.status(), 200);
        Self { body: response.into_body(), pending: String::new(), last_id: last_id.to_owned() }
    }

    /// The next event's data; `None` at an end that is none of a connection that broke.
    async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some((block, rest)) = self.pending.split_once("\n\n") {
                let field = |name| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let (id, data, rest) = (field("id: "), field("data: "), rest.to_owned());
                self.pending = rest;
                self.last_id = id.unwrap_or(std::mem::take(&mut self.last_id));
                if let Some(data) = data {
                    return Some(serde_json::from_str(&data).unwrap());
                }
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.unwrap()?.unwrap();
            self.pending.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    /// What the next event says of a run: a scenario, or what became of the run.
    async fn next_of_run(&mut self) -> String {
        let event = self.next().await.unwrap();
        event["scenario_id"].as_str().or(event["event_type"].as_str()).unwrap().to_owned()
    }
}

struct World {
    folder: TempDir,
    key: String,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = create_key(&folder.path().join("w.db"));
        Self { folder, key }
    }

    fn serve(&self) -> (Server, Api) {
        let settings = [("PRECLINICAL_ALLOW_CIDRS", "127.0.0.0/8"), ("PRECLINICAL_RETRY_SCHEDULE", "1h")];
        let server = Server::start(&self.folder.path().join("w.db"), &settings);
        let api = Api::new(&server.url, &self.key);
        (server, api)
    }
}

async fn create_run(api: &Api, scenarios: u32) -> String {
    let agent = api.agent("Assistant").await;
    let run = api.post("/runs", json!({"agent_id": agent, "total_scenarios": scenarios})).await;
    run["id"].as_str().unwrap().to_owned()
}

async fn report(api: &Api, run: &str, scenario: &str) {
    let result = json!({"scenario_id": scenario, "scenario_name": scenario, "status": "passed"});
    api.post(&format!("/runs/{run}/results"), json!({"results": [result]})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_followed_while_it_is_reported_and_nothing_is_missed_by_whoever_is_cut_off() {
    let world = World::new();
    let (mut server, api) = world.serve();
    let run = create_run(&api, 4).await;
    let path = format!("/events?run_id={run}");
    let mut stream = Stream::open(&api, &path, "").await;
    assert_eq!(stream.next_of_run().await, "test_run_started");
    report(&api, &run, "one").await;
    assert_eq!(stream.next_of_run().await, "one");
    let last_id = stream.last_id.clone();
    drop(stream);
    report(&api, &run, "two").await;
    let mut stream = Stream::open(&api, &path, &last_id).await;
    assert_eq!(stream.next_of_run().await, "two");
    report(&api, &run, "three").await;
    // The server dies before the client took this one, and another one takes the stream up.
    server.kill();
    let (_server, api) = world.serve();
    let mut stream = Stream::open(&api, &path, &stream.last_id).await;
    assert_eq!(stream.next_of_run().await, "three");
    report(&api, &run, "four").await;
    assert_eq!(stream.next_of_run().await, "four");
    let last = stream.next().await.unwrap();
    assert_eq!((&last["event_type"], &last["run"]["passed_count"]), (&json!("test_run_complete"), &json!(4)));
    assert_eq!(stream.next().await, None);
    assert_eq!(api.listen(&path, &stream.last_id).await.status(), 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_is_followed_from_its_first_attempt_to_its_end() {
    let world = World::new();
    let (_server, api) = world.serve();
    let receiver = Receiver::start([Reaction::status(503)]).await;
    let webhook = api.webhook(&receiver.url(), None).await;
    let run = create_run(&api, 1).await;
    let mut stream = Stream::open(&api, "/stream", "").await;
    report(&api, &run, "one").await;
    let mut failed = stream.next().await.unwrap();
    while failed["http_status"].is_null() {
        failed = stream.next().await.unwrap();
    }
    assert_eq!(
        (&failed["run_id"], &failed["status"], &failed["attempt_count"]),
        (&json!(run), &json!("pending"), &json!(1))
    );
    assert!(failed["next_attempt_at"].is_string(), "{failed}");
    api.call(Method::PUT, &format!("/webhooks/{webhook}"), Some(&json!({"is_enabled": false}))).await.unwrap();
    let canceled = stream.next().await.unwrap();
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(api.get("/webhooks/deliveries").await["deliveries"], json!([canceled]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_end_the_server_ends_its_streams_and_does_not_wait_for_their_clients() {
    let world = World::new();
    let (mut server, api) = world.serve();
    let run = create_run(&api, 1).await;
    let mut of_run = Stream::open(&api, &format!("/events?run_id={run}"), "").await;
    assert_eq!(of_run.next_of_run().await, "test_run_started");
    let mut of_deliveries = Stream::open(&api, "/stream", "").await;
    server.terminate();
    // A connection that is cut would be an error here.
    assert_eq!((of_run.next().await, of_deliveries.next().await), (None, None));
    assert!(server.wait().success(), "{}", server.log());
}
