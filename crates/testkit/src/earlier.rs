//! Databases of earlier versions: what one held when its process died, and what the present version must make of it.
//!
//! The rows lie in `tests/versions` of each store's crate, one file for each step of the schema, as a version of that step wrote
//! them: a step that is added brings its own file, and those before it stay as they are. What is sealed in them is sealed with
//! [`vault`](crate::world::vault)'s key.

use std::{collections::BTreeMap, fs, path::Path, str::FromStr, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    attempt::{Attempt, ErrorKind},
    delivery::{Claimed, Delivery, DeliveryStatus},
    id::{AgentId, DeliveryId},
    port::{AttemptRecord, Page, RunFilter, Store},
    replay_on_recovery::ReplayOnRecovery,
    retry::NextStep,
    run::{FinalStatus, RunRef, RunStatus},
};

use crate::{
    chance::SeededChance,
    clock::ManualClock,
    world::{World, answered, header_pairs, message},
};

/// The step from which on webhooks may have headers of their own.
const HEADERS: usize = 3;

/// A database as a version of that step left it.
pub struct Step {
    /// From 1 on.
    pub number: usize,
    /// The statements of this step and of all before it.
    pub schema: Vec<String>,
    /// The statements that write the rows.
    pub rows: String,
}

/// Every step of the store in that folder of a crate, the last one among them.
pub fn steps(store: &str) -> Vec<Step> {
    let store = Path::new(store);
    let mut files: Vec<_> = fs::read_dir(store.join("migrations")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let schema: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let step = |number| {
        let file = store.join(format!("tests/versions/{number:04}.sql"));
        let rows = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        Step { number, schema: schema[..number].to_vec(), rows }
    };
    let steps: Vec<Step> = (1..=schema.len()).map(step).collect();
    assert!(!steps.is_empty(), "there is a schema");
    steps
}

/// Everything that was pending is sent in its time, under its ids and with its bytes, and what has ended stays as it was.
///
/// `bury` has the store find out at that time that the process is dead, and answers how many deliveries are due by it.
pub async fn is_carried_on(step: &Step, store: Arc<dyn Store>, bury: impl AsyncFnOnce(Timestamp) -> u64) {
    let (clock, chance) = (Arc::new(ManualClock::default()), Arc::new(SeededChance::new(8)));
    let world = World { store, clock, chance, organization: of_friday("01") };
    assert_eq!(world.deliveries().await.len(), 8);
    assert_eq!(bury(world.now()).await, 1, "one was under way");
    what_is_due_is_sent(&world, if step.number < HEADERS { &[] } else { &[("X-Tenant", "of-an-earlier-version")] }).await;
    what_waits_is_sent_in_its_time(&world).await;
    what_has_ended_stays(&world).await;
    runs_go_on(&world).await;
    // The stores came to wishes by different steps.
    let has_wish = step.rows.contains("replay_on_recovery");
    wishes_stay(&world, if has_wish { ReplayOnRecovery::NewestPerAgent } else { ReplayOnRecovery::Off }).await;
}

async fn wishes_stay(world: &World, of_all: ReplayOnRecovery) {
    for (webhook, expected) in [("04", of_all), ("05", ReplayOnRecovery::Off)] {
        let webhook = world.store.webhook(world.organization, of_friday(webhook)).await.unwrap().unwrap();
        assert_eq!(webhook.replay_on_recovery, expected);
    }
}

fn of_friday<T: FromStr<Err: std::fmt::Debug>>(end: &str) -> T {
    format!("019c0e58-6500-7000-8000-0000000000{end}").parse().unwrap()
}

fn of_the_week_before<T: FromStr<Err: std::fmt::Debug>>(end: &str) -> T {
    format!("019bdad8-cd00-7000-8000-0000000000{end}").parse().unwrap()
}

fn is_to(claimed: &Claimed, url: &str, secrets: &[&str], run: &str) {
    assert_eq!(claimed.url, format!("https://receiver.example/{url}"));
    assert_eq!(claimed.secrets.iter().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>(), secrets);
    let content = format!(r#"{{"test_run":{{"id":"{run}","name":"Nightly"}}}}"#);
    assert_eq!(String::from_utf8_lossy(claimed.content.bytes()), content);
}

async fn claim(world: &World) -> BTreeMap<DeliveryId, Claimed> {
    let claimed = world.store.claim_due(world.now(), world.leases(10)).await.unwrap();
    claimed.into_iter().map(|claimed| (claimed.delivery_id, claimed)).collect()
}

async fn deliver(world: &World, claimed: &Claimed) {
    let (request, response) = (Some(message(&[], b"\0sent")), Some(message(&[], b"taken\0")));
    let record = world.record(claimed, answered(200), NextStep::Delivered);
    world.store.record(AttemptRecord { request, response, ..record }).await.unwrap();
    assert_eq!(world.delivery(claimed.delivery_id).await.status, DeliveryStatus::Delivered);
}

async fn what_is_due_is_sent(world: &World, headers: &[(&str, &str)]) {
    let claimed = claim(world).await;
    let [due, cut_off, repetition] = ["31", "32", "38"].map(of_friday::<DeliveryId>);
    assert_eq!(claimed.keys().copied().collect::<Vec<_>>(), [due, cut_off, repetition]);
    assert_eq!([due, cut_off, repetition].map(|id| claimed[&id].attempt), [1, 2, 1]);
    is_to(&claimed[&due], "all", &["whsec_of-an-earlier-version"], "019c0e58-6500-7000-8000-000000000011");
    is_to(&claimed[&cut_off], "nurse", &[], "019c0e58-6500-7000-8000-000000000012");
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!([due, cut_off].map(|id| header_pairs(&claimed[&id].headers)), [headers, vec![]]);
    is_to(&claimed[&repetition], "all", &["whsec_of-an-earlier-version"], "019bdad8-cd00-7000-8000-000000000015");
    for claimed in claimed.values() {
        deliver(world, claimed).await;
    }
    let (_, attempts) = kept(world, cut_off).await;
    assert_eq!(attempts[0].error.as_ref().unwrap().kind, ErrorKind::Interrupted);
    assert_eq!(&attempts[1].response.as_ref().unwrap().body[..], b"taken\0");
}

async fn what_waits_is_sent_in_its_time(world: &World) {
    let waits = of_friday::<DeliveryId>("33");
    let due = "2026-01-30T10:40:00Z".parse().unwrap();
    assert_eq!(world.store.next_due().await.unwrap(), Some(due));
    world.clock.set(due - SignedDuration::from_millis(1));
    assert!(claim(world).await.is_empty());
    world.clock.set(due);
    let claimed = claim(world).await;
    assert_eq!(claimed.keys().copied().collect::<Vec<_>>(), [waits]);
    assert_eq!((claimed[&waits].attempt, claimed[&waits].failures), (2, 1));
    is_to(&claimed[&waits], "all", &["whsec_of-an-earlier-version"], "019c0e58-6500-7000-8000-000000000013");
    deliver(world, &claimed[&waits]).await;
    has_bodies(&kept(world, waits).await.1[0]);
    assert_eq!(world.store.next_due().await.unwrap(), None);
}

async fn what_has_ended_stays(world: &World) {
    let ended = [
        (of_the_week_before("34"), DeliveryStatus::Delivered, 1, Some(200)),
        (of_the_week_before("35"), DeliveryStatus::Failed, 1, Some(503)),
        (of_friday("36"), DeliveryStatus::Canceled, 1, None),
        (of_friday("37"), DeliveryStatus::Canceled, 0, None),
    ];
    for (id, status, attempts, http_status) in ended {
        let (delivery, kept) = kept(world, id).await;
        assert_eq!((delivery.status, kept.len(), delivery.http_status), (status, attempts, http_status), "{id}");
        assert!(delivery.completed_at.is_some_and(|at| at < world.now()));
    }
    has_bodies(&kept(world, of_the_week_before("34")).await.1[0]);
    let under_way = &kept(world, of_friday("36")).await.1[0];
    assert_eq!(under_way.error.as_ref().unwrap().kind, ErrorKind::Interrupted);
    assert_eq!(kept(world, of_friday("38")).await.0.redelivery_of, Some(of_the_week_before("35")));
    assert_eq!(world.deliveries().await.len(), 8);
}

async fn kept(world: &World, id: DeliveryId) -> (Delivery, Vec<Attempt>) {
    world.store.delivery(world.organization, id).await.unwrap().unwrap()
}

/// A megabyte was sent, and answered with bytes that are no text.
fn has_bodies(attempt: &Attempt) {
    let (request, response) = (attempt.request.as_ref().unwrap(), attempt.response.as_ref().unwrap());
    assert!(request.body.len() == 1 << 20 && request.body.iter().all(|byte| *byte == b'x'));
    assert_eq!(&response.body[..], [0, 0xff, 0, 0xfe]);
    assert_eq!(*request.headers, [("content-type".to_owned(), "application/octet-stream".to_owned())]);
}

/// Numbers go on, agents open, and a run that was under way ends with a delivery.
async fn runs_go_on(world: &World) {
    let agent = of_friday::<AgentId>("02");
    let (_, config) = world.store.agent_config(world.organization, agent).await.unwrap().unwrap();
    assert_eq!(config.0, b"{}");
    assert_eq!(world.run(agent, None).await.number.0, 9);
    world.complete(of_friday("18"), None).await.unwrap();
    let run = world.store.run(world.organization, RunRef::Id(of_friday("18"))).await.unwrap().unwrap();
    assert_eq!((run.number.0, run.status), (8, RunStatus::from(FinalStatus::Completed)));
    assert_eq!(claim(world).await.len(), 1);
    // The other agent has had no run that had yet to end.
    assert_eq!(world.run(of_friday("03"), None).await.number.0, 10);
    let mut counted = Vec::new();
    for status in RunStatus::ALL {
        let filter = RunFilter { status: Some(status), ..RunFilter::default() };
        let (_, total) = world.store.runs(world.organization, filter, Page { limit: 1, offset: 0 }).await.unwrap();
        counted.push((status.as_str(), total));
    }
    counted.retain(|(_, total)| *total > 0);
    assert_eq!(counted, [("running", 2), ("completed", 8)]);
}
