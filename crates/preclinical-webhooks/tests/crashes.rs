//! The binary is killed, or asked to end, in the middle of its work: what it accepted arrives all the same.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod harness;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use harness::{Api, Server, create_key};
use http::{Method, StatusCode};
use preclinical_testkit::receiver::{Gate, Reaction, Receiver, Seen, answer_bytes};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

/// After how long something that should happen has failed to.
const PATIENCE: Duration = Duration::from_mins(1);

/// Attempts that a server has under way at once, and so the most that one kill can repeat.
const PLACES: usize = 512;

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

/// Completes runs until the server is gone; answers those that were accepted.
async fn complete(api: Arc<Api>, mine: Vec<String>, accepted: Arc<std::sync::atomic::AtomicUsize>) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for run in mine {
        let Ok(answer) = api.call(Method::POST, &format!("/runs/{run}/complete"), Some(&json!({}))).await else { break };
        // A run that was accepted while the answer got lost is final by now.
        assert!(answer.status == StatusCode::OK || answer.body["code"] == "INVALID_STATE", "{answer:?}");
        accepted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        acknowledged.push(run);
    }
    acknowledged
}

/// Completes what is left over 32 connections; kills the server once `most` more were accepted.
async fn burst(server: &mut Server, api: &Arc<Api>, left: &mut BTreeSet<String>, most: usize) {
    let accepted = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut shares = vec![Vec::new(); 32];
    for (index, run) in left.iter().enumerate() {
        shares[index % 32].push(run.clone());
    }
    let mut producers: JoinSet<_> =
        shares.into_iter().map(|share| complete(Arc::clone(api), share, Arc::clone(&accepted))).collect();
    while accepted.load(std::sync::atomic::Ordering::Relaxed) < most {
        tokio::task::yield_now().await;
    }
    if most < left.len() {
        server.kill();
    }
    while let Some(acknowledged) = producers.join_next().await {
        for run in acknowledged.unwrap() {
            left.remove(&run);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_three_times_in_a_burst_of_2000_completions_nothing_accepted_is_lost() {
    const RUNS: usize = 2000;
    let world = World::new("1h");
    let receiver = Receiver::start([]).await;
    let (mut server, mut api) = world.serve();
    api.webhook(&receiver.url(), Some("s3cret")).await;
    let agent = api.agent("Assistant").await;
    let mut creators = JoinSet::new();
    for _ in 0..20 {
        let (api, agent) = (Arc::clone(&api), agent.clone());
        creators.spawn(async move {
            let mut created = Vec::new();
            for _ in 0..RUNS / 20 {
                created.push(create_run(&api, &agent).await);
            }
            created
        });
    }
    let all: BTreeSet<String> = creators.join_all().await.into_iter().flatten().collect();
    let mut left = all.clone();
    for most in [400, 500, 300] {
        burst(&mut server, &api, &mut left, most).await;
        (server, api) = world.serve();
    }
    let rest = left.len();
    burst(&mut server, &api, &mut left, rest).await;
    assert!(left.is_empty());

    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    while arrived.len() < RUNS {
        *arrived.entry(run_of(&receiver.next().await)).or_default() += 1;
    }
    until(&api, "/webhooks/deliveries?status=pending", |page| page["deliveries"] == json!([])).await;
    while receiver.waiting().await > 0 {
        *arrived.entry(run_of(&receiver.next().await)).or_default() += 1;
    }
    assert!(arrived.keys().eq(all.iter()), "exactly the accepted runs arrive");
    let requests: usize = arrived.values().sum();
    assert!(requests - RUNS <= 3 * PLACES, "{requests} requests for {RUNS} runs and 3 kills");

    let (deliveries, attempts) = history(&api).await;
    assert_eq!(deliveries, RUNS, "one delivery a run, however often its completion was asked for");
    assert!(attempts >= requests, "{requests} requests arrived, {attempts} attempts are known");
}

/// How many deliveries the history shows, all of them delivered, and how many attempts.
async fn history(api: &Api) -> (usize, usize) {
    let (mut deliveries, mut attempts, mut cursor) = (0, 0, String::new());
    loop {
        let page = api.get(&format!("/webhooks/deliveries?limit=100{cursor}")).await;
        for delivery in page["deliveries"].as_array().unwrap() {
            assert_eq!(delivery["status"], "delivered");
            deliveries += 1;
            attempts += usize::try_from(delivery["attempt_count"].as_u64().unwrap()).unwrap();
        }
        let Some(next) = page["next_cursor"].as_str() else { return (deliveries, attempts) };
        cursor = format!("&cursor={next}");
    }
}
