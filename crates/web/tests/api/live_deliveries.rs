//! `GET /stream`: the organization's deliveries, told as they change.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use preclinical_core::{delivery::Claimed, id::AgentId, port::Fate, retry::NextStep};
use preclinical_testkit::world::{answered, unreachable};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::app::{Stream, TestApp, URL};

async fn claimed(app: &TestApp, agent: &str) -> Claimed {
    app.world.claimed(agent.parse().unwrap()).await
}

async fn delivered(app: &TestApp, claimed: &Claimed) {
    app.world.store.record(app.world.record(claimed, answered(200), NextStep::Delivered)).await.unwrap();
}

/// The next event, which must be of that delivery, as the list shows it now.
async fn assert_told(app: &TestApp, stream: &mut Stream, delivery: &Claimed) -> Value {
    let event = stream.next().await.unwrap();
    assert_eq!((event.name.as_str(), &event.data["id"]), ("delivery", &json!(delivery.delivery_id.to_string())));
    assert!(app.api.deliveries("").await.contains(&event.data), "{}", event.data);
    event.data
}

#[tokio::test]
async fn a_delivery_is_told_as_the_list_shows_it_whenever_it_changes() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let before = claimed(&app, &agent).await;
    let mut stream = app.api.listen("/stream", "").await;
    let run = app.world.run(agent.parse().unwrap(), None).await.id;
    let Fate::Due = app.world.complete(run, None).await.unwrap().fate else { panic!("not due") };
    let created = stream.next().await.unwrap().data;
    assert_eq!((&created["status"], &created["attempt_count"]), (&json!("pending"), &json!(0)));
    let first = app.world.store.claim_due(app.world.now(), app.world.leases(1)).await.unwrap().remove(0);
    assert_eq!(assert_told(&app, &mut stream, &first).await["attempt_count"], 1);
    let retry = app.world.now() + SignedDuration::from_mins(1);
    app.world.store.record(app.world.record(&first, answered(503), NextStep::RetryAt(retry))).await.unwrap();
    assert!(assert_told(&app, &mut stream, &first).await["next_attempt_at"].is_string());
    app.api.put(&format!("/webhooks/{webhook}"), json!({"is_enabled": false})).await.is(200);
    let both = [stream.next().await.unwrap().data, stream.next().await.unwrap().data];
    assert_eq!([&both[0]["status"], &both[1]["status"]], ["canceled", "canceled"]);
    delivered(&app, &before).await;
    assert_eq!(assert_told(&app, &mut stream, &before).await["status"], "delivered");
    app.api.post(&format!("/webhooks/{webhook}/test"), json!({})).await.is(200);
    assert_eq!(stream.next().await.unwrap().data["is_test"], true);
}

#[tokio::test]
async fn a_delivery_that_changed_often_before_its_client_looked_is_told_once_as_it_is_now() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let mut stream = app.api.listen("/stream", "").await;
    assert!(stream.block().await.unwrap().contains(": open"));
    let (often, once) = (claimed(&app, &agent).await, claimed(&app, &agent).await);
    app.world.store.record(app.world.record(&often, unreachable(), NextStep::RetryAt(app.world.now()))).await.unwrap();
    let again = app.world.store.claim_due(app.world.now(), app.world.leases(1)).await.unwrap().remove(0);
    delivered(&app, &again).await;
    assert_eq!(assert_told(&app, &mut stream, &once).await["status"], "pending");
    let told = assert_told(&app, &mut stream, &often).await;
    assert_eq!((&told["status"], &told["attempt_count"]), (&json!("delivered"), &json!(2)));
    let last = claimed(&app, &agent).await;
    assert_told(&app, &mut stream, &last).await;
}

#[tokio::test]
async fn filters_choose_by_what_a_delivery_is_now() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let (agent, other) = (app.api.agent("Assistant").await, app.api.agent("Other").await);
    let own = app.api.webhook(URL, Some(&other)).await;
    let begin = app.api.listen("/stream", "").await.block().await.unwrap();
    let begin = begin.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    let (mine, others) = (claimed(&app, &agent).await, claimed(&app, &other).await);
    delivered(&app, &mine).await;
    let fence = claimed(&app, &other).await;
    delivered(&app, &fence).await;
    for (query, first) in [
        (format!("webhook_id={webhook}"), &mine),
        (format!("agent_id={agent}"), &mine),
        ("status=delivered".to_owned(), &mine),
        (format!("webhook_id={own}"), &others),
        (format!("agent_id={other}"), &others),
        ("status=pending".to_owned(), &others),
        (format!("status=delivered&agent_id={other}"), &fence),
    ] {
        let mut stream = app.api.listen(&format!("/stream?{query}"), &begin).await;
        assert_told(&app, &mut stream, first).await;
    }
    for (query, field) in
        [("status=x", "status"), ("webhook_id=1", "webhook_id"), ("agent_id=", "agent_id"), ("run_id=1", "run_id")]
    {
        app.api.get(&format!("/stream?{query}")).await.refuses_field("INVALID_FIELD_VALUE", field);
    }
}

#[tokio::test]
async fn another_organizations_deliveries_and_ids_are_nothing_here() {
    let app = TestApp::new().await;
    let stranger = app.stranger().await;
    for (api, name) in [(&app.api, "Ours"), (&stranger, "Theirs")] {
        api.webhook(URL, None).await;
        api.agent(name).await;
    }
    let (mut ours, mut theirs) = (app.api.listen("/stream", "").await, stranger.listen("/stream", "").await);
    let agents = [&app.api, &stranger].map(|api| async { api.get("/agents").await.is(200)["agents"][0]["id"].clone() });
    let [our_agent, their_agent] = agents;
    let (our_agent, their_agent) = (our_agent.await, their_agent.await);
    let delivery = stranger.delivered(their_agent.as_str().unwrap()).await;
    assert_eq!(theirs.next().await.unwrap().data["id"], delivery);
    let delivery = app.api.delivered(our_agent.as_str().unwrap()).await;
    assert_eq!(ours.next().await.unwrap().data["id"], delivery, "and nothing before it");
    let foreign = app.api.call_with("GET", "/stream", &[("last-event-id", &theirs.last_id)], "").await;
    foreign.refuses_field("INVALID_FIELD_VALUE", "Last-Event-ID");
}

#[tokio::test]
async fn whoever_comes_back_gets_what_changed_meanwhile_and_the_header_outweighs_the_parameter() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let mut stream = app.api.listen("/stream", "").await;
    stream.block().await.unwrap();
    let opened = stream.last_id.clone();
    drop(stream);
    let first = claimed(&app, &agent).await;
    let mut stream = app.api.listen("/stream", &opened).await;
    assert_told(&app, &mut stream, &first).await;
    let after_first = stream.last_id.clone();
    drop(stream);
    let second = claimed(&app, &agent).await;
    let mut stream = app.api.listen(&format!("/stream?last_event_id={after_first}"), "").await;
    assert_told(&app, &mut stream, &second).await;
    let mut stream = app.api.listen(&format!("/stream?last_event_id={opened}"), &after_first).await;
    assert_told(&app, &mut stream, &second).await;
    let mut stream = app.api.listen("/stream?last_event_id=", "").await;
    let third = claimed(&app, &agent).await;
    assert_told(&app, &mut stream, &third).await;
}

#[tokio::test]
async fn whoever_is_ahead_of_a_store_that_was_restored_is_told_what_changes_from_then_on() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let mut stream = app.api.listen("/stream", "").await;
    for _ in 0..3 {
        let delivery = claimed(&app, &agent).await;
        assert_told(&app, &mut stream, &delivery).await;
    }
    app.database.damage("UPDATE deliveries SET change = 0");
    app.database.damage("UPDATE organizations SET last_change = 0");
    let mut stream = app.api.listen("/stream", &stream.last_id).await;
    let next = claimed(&app, &agent).await;
    assert_told(&app, &mut stream, &next).await;
}

#[tokio::test]
async fn more_changes_than_are_read_at_once_are_told_one_by_one() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let mut stream = app.api.listen("/stream", "").await;
    stream.block().await.unwrap();
    let mut all = Vec::new();
    for _ in 0..205 {
        all.push(claimed(&app, &agent).await.delivery_id.to_string());
    }
    for id in all {
        assert_eq!(stream.next().await.unwrap().data["id"], id);
    }
}

/// What may happen to an organization and to a stream of it.
#[derive(Debug, Clone)]
enum Step {
    Create,
    Claim,
    Record(usize, NextStep),
    Disable,
    Read(usize),
    Beat,
    /// The connection is cut, and what was on its way is lost.
    Reconnect,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let now = preclinical_core::clock::Clock::now(&preclinical_testkit::clock::ManualClock::default());
    let next = prop_oneof![Just(NextStep::Delivered), Just(NextStep::Exhausted), Just(NextStep::RetryAt(now))];
    let step = prop_oneof![
        4 => Just(Step::Create),
        2 => Just(Step::Claim),
        4 => (any::<usize>(), next).prop_map(|(which, next)| Step::Record(which, next)),
        1 => Just(Step::Disable),
        4 => (1..4_usize).prop_map(Step::Read),
        1 => Just(Step::Beat),
        3 => Just(Step::Reconnect),
    ];
    prop::collection::vec(step, 0..40)
}

/// A client that keeps what it was told last of each delivery.
struct Follower {
    stream: Stream,
    known: BTreeMap<String, Value>,
    /// How many changes it has not been told of, at most.
    behind: usize,
}

impl Follower {
    async fn read(&mut self) -> String {
        let event = self.stream.next().await.unwrap();
        let id = event.data["id"].as_str().unwrap().to_owned();
        self.known.insert(id.clone(), event.data);
        id
    }

    /// Comes back with the last id that it ever had, also if the connection before brought none.
    async fn reconnect(&mut self, app: &TestApp) {
        let last_id = std::mem::take(&mut self.stream.last_id);
        self.stream = app.api.listen("/stream", &last_id).await;
        self.stream.last_id = last_id;
    }
}

async fn change(app: &TestApp, agent: AgentId, step: &Step, open: &mut Vec<Claimed>) {
    match step {
        Step::Create => open.push(app.world.claimed(agent).await),
        Step::Claim => open.extend(app.world.store.claim_due(app.world.now(), app.world.leases(2)).await.unwrap()),
        Step::Record(which, next) if !open.is_empty() => {
            let claimed = open.swap_remove(which % open.len());
            let outcome = if *next == NextStep::Delivered { answered(200) } else { answered(503) };
            app.world.store.record(app.world.record(&claimed, outcome, *next)).await.unwrap();
        }
        Step::Disable => {
            let webhook = app.api.get("/webhooks").await.is(200)["webhooks"][0]["id"].clone();
            for is_enabled in [false, true] {
                let path = format!("/webhooks/{}", webhook.as_str().unwrap());
                app.api.put(&path, json!({"is_enabled": is_enabled})).await.is(200);
            }
        }
        Step::Record(..) | Step::Read(_) | Step::Beat | Step::Reconnect => {}
    }
}

/// Plays the steps, then checks that the follower knows every delivery as it is.
async fn play(steps: &[Step]) {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await.parse().unwrap();
    let mut stream = app.api.listen("/stream", "").await;
    stream.block().await.unwrap();
    let mut follower = Follower { stream, known: BTreeMap::new(), behind: 0 };
    let mut open = Vec::new();
    for step in steps {
        let changed = app.world.store.latest_change(app.world.organization).await.unwrap();
        change(&app, agent, step, &mut open).await;
        match step {
            // Only what is sure to come is waited for: at least one event after a change.
            Step::Read(most) => {
                for _ in 0..(*most).min(follower.behind.min(1)) {
                    follower.read().await;
                    follower.behind = 0;
                }
            }
            Step::Beat => app.streams.beat(),
            Step::Reconnect => follower.reconnect(&app).await,
            _ => {
                let now = app.world.store.latest_change(app.world.organization).await.unwrap();
                follower.behind += usize::from(now > changed);
            }
        }
    }
    let fence = app.world.claimed(agent).await.delivery_id.to_string();
    while follower.read().await != fence {}
    let all = app.api.deliveries("").await;
    let all: BTreeMap<_, _> = all.into_iter().map(|one| (one["id"].as_str().unwrap().to_owned(), one)).collect();
    assert_eq!(follower.known, all);
}

#[test]
fn however_changes_and_cuts_interleave_the_last_state_of_no_delivery_is_lost() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() });
    runner
        .run(&steps(), |steps| {
            runtime.block_on(play(&steps));
            Ok(())
        })
        .unwrap();
}
