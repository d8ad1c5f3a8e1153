//! Whatever comes in: never a panic, never a fault of ours, and a refusal leaves no trace.

use axum::{
    body::Body,
    http::{HeaderValue, Request, header},
};
use preclinical_testkit::fuzz::cases;
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use url::form_urlencoded;

use crate::app::{TestApp, URL};

const CASES: u32 = 400;

/// Names that some call knows, and values that it might take for good ones.
const NAMES: [&str; 27] = [
    "agent_id",
    "name",
    "provider",
    "config",
    "description",
    "is_active",
    "url",
    "secret",
    "is_enabled",
    "replay_on_recovery",
    "test_mode",
    "test_suite_id",
    "max_scenarios",
    "max_turns",
    "total_scenarios",
    "status",
    "started_at",
    "results",
    "scenario_id",
    "scenario_name",
    "duration_ms",
    "passed_count",
    "failed_count",
    "error_count",
    "transcript",
    "$serde_json::private::RawValue",
    "grade_summary",
];
const TEXTS: [&str; 12] = [
    "openai",
    "passed",
    "completed",
    "pending",
    URL,
    "2026-01-30T10:00:00Z",
    "{}",
    "\u{0}",
    "TR-00001",
    "https://[::",
    "9e999",
    "00000000-0000-4000-8000-000000000000",
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&NAMES[..]).prop_map(str::to_owned), 1 => any::<String>()]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (0_u64..30).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(&TEXTS[..]).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..6)
                .prop_map(|fields| Value::from(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Where a text can be in a path or a query.
const PLACES: [&str; 21] = [
    "/runs/{}",
    "/runs/{}/results",
    "/agents/{}",
    "/webhooks/{}",
    "/webhooks/{}/deliveries",
    "/webhooks/deliveries/{}",
    "/{}",
    "/runs?{}",
    "/agents?{}",
    "/webhooks?{}",
    "/webhooks/deliveries?{}",
    "/webhooks/deliveries?cursor={}",
    "/runs?limit={}",
    "/runs?offset={}",
    "/runs?status={}",
    "/webhooks/deliveries?created_after={}",
    "/webhooks/deliveries?run_id={}",
    "/webhooks/deliveries?q={}",
    "/runs/{}/decisions",
    "/agents/{}/effective-webhook",
    "/webhooks/redeliveries/{}",
];

/// A body, and fields that are put over a good body.
fn any_body() -> impl Strategy<Value = (bool, Value, Vec<(String, Value)>)> {
    (any::<bool>(), any_json(), prop::collection::vec((name(), any_json()), 0..4))
}

/// An application whose every row stays or is added to by a test, with what its calls need.
struct Fixture {
    runtime: Runtime,
    app: TestApp,
    agent: String,
    webhook: String,
    delivery: String,
}

impl Fixture {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (app, agent, webhook, delivery) = runtime.block_on(async {
            let app = TestApp::new().await;
            let (agent, webhook) = (app.api.agent("Assistant").await, app.api.webhook(URL, None).await);
            let delivery = app.api.delivered(&agent).await;
            (app, agent, webhook, delivery)
        });
        Self { runtime, app, agent, webhook, delivery }
    }

    /// Calls that take a body, each with a good one.
    fn calls(&self) -> [(&'static str, String, Value); 10] {
        let run = self.runtime.block_on(self.app.api.run(&self.agent, None));
        let result = json!({"scenario_id": "1", "scenario_name": "One", "status": "passed"});
        [
            ("POST", "/agents".to_owned(), json!({"provider": "vapi", "name": "Other", "config": {}})),
            ("POST", "/webhooks".to_owned(), json!({"url": URL, "agent_id": self.agent})),
            ("PUT", format!("/webhooks/{}", self.webhook), json!({"is_enabled": true})),
            ("POST", format!("/webhooks/{}/test", self.webhook), json!({})),
            ("POST", format!("/webhooks/deliveries/{}/redeliver", self.delivery), json!({})),
            ("POST", "/webhooks/redeliveries".to_owned(), json!({"status": "canceled", "webhook_id": self.webhook})),
            ("POST", "/runs".to_owned(), json!({"agent_id": self.agent})),
            ("POST", format!("/runs/{run}/results"), json!({"results": [result]})),
            ("POST", format!("/runs/{run}/complete"), json!({"passed_count": 1})),
            ("POST", format!("/runs/{run}/cancel"), json!({})),
        ]
    }

    /// Calls, and checks that the answer is no fault of ours and a refusal changed nothing.
    fn holds(&self, method: &str, path: &str, body: impl Into<Body>) {
        let before = self.app.database.rows();
        let answer = self.runtime.block_on(self.app.api.call(method, path, body));
        assert!(!answer.status.is_server_error(), "{answer:?}");
        assert!(answer.status.is_success() || self.app.database.rows() == before, "{answer:?}");
    }

    /// Everything that was taken in can be shown.
    fn shows_everything(&self) {
        let api = &self.app.api;
        self.runtime.block_on(async {
            for list in ["/agents", "/webhooks", "/webhooks/deliveries", "/webhooks/redeliveries"] {
                api.get(&format!("{list}?limit=100")).await.is(200);
            }
            let total = api.get("/runs").await.is(200)["total"].as_u64().unwrap();
            for number in 1..=total {
                api.get(&format!("/runs/TR-{number:05}/results")).await.is(200);
            }
        });
    }
}

fn check<S: Strategy>(strategy: &S, test: impl Fn(S::Value)) {
    let config = ProptestConfig { cases: cases(CASES), failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(strategy, |input| {
        test(input);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Puts a field into an object, or into its first result if it is a report.
fn put(body: &mut Value, name: String, value: Value) {
    match body {
        Value::Object(object) if object.contains_key("results") && name != "results" => {
            put(&mut object["results"], name, value);
        }
        Value::Object(object) => drop(object.insert(name, value)),
        Value::Array(items) if !items.is_empty() => put(&mut items[0], name, value),
        other => *other = value,
    }
}

#[test]
fn any_json_in_a_body_is_taken_or_refused() {
    let fixture = Fixture::new();
    check(&(0_usize..10, any_body()), |(call, (over_a_good_one, value, fields))| {
        let (method, path, good) = &fixture.calls()[call];
        let mut body = if over_a_good_one { good.clone() } else { value };
        for (name, value) in fields {
            put(&mut body, name, value);
        }
        fixture.holds(method, path, body.to_string());
    });
    fixture.shows_everything();
}

#[test]
fn any_bytes_in_a_body_are_taken_or_refused() {
    let fixture = Fixture::new();
    let damaged = (any::<prop::sample::Index>(), any::<u8>());
    check(&(0_usize..10, prop::collection::vec(damaged, 0..4), any::<Vec<u8>>()), |(call, damages, tail)| {
        let (method, path, good) = &fixture.calls()[call];
        let mut body = good.to_string().into_bytes();
        for (at, byte) in damages {
            *at.get_mut(&mut body) = byte;
        }
        if tail.len() % 2 == 0 {
            body.extend(tail);
        }
        fixture.holds(method, path, body);
    });
    fixture.shows_everything();
}

#[test]
fn any_path_and_query_is_answered() {
    let fixture = Fixture::new();
    let text = prop_oneof![any::<String>(), select(&TEXTS[..]).prop_map(str::to_owned)];
    check(&(select(&PLACES[..]), text), |(place, text)| {
        let encoded = form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
        fixture.holds("GET", &place.replace("{}", &encoded), "");
    });
}

#[test]
fn any_header_is_understood_or_refused() {
    const HEADERS: [&str; 10] = [
        "if-match",
        "idempotency-key",
        "last-event-id",
        "x-request-id",
        "authorization",
        "content-type",
        "content-encoding",
        "accept-encoding",
        "cookie",
        "origin",
    ];
    let fixture = Fixture::new();
    let value = prop::collection::vec(prop_oneof![0x20_u8..0x7f, 0x80_u8..=0xff, Just(b'"'), Just(b',')], 0..40);
    check(&(select(&HEADERS[..]), value, 0_usize..10), |(name, value, call)| {
        let Ok(value) = HeaderValue::from_bytes(&value) else { return };
        let (method, path, good) = &fixture.calls()[call];
        for (method, path, body) in [(*method, path.as_str(), good.to_string()), ("GET", "/stream", String::new())] {
            let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
            let request = request.header(header::CONTENT_TYPE, "application/json").header(name, value.clone());
            let answer = fixture.runtime.block_on(fixture.app.api.send(request.body(Body::from(body)).unwrap()));
            assert!(!answer.status.is_server_error(), "{name}: {value:?}: {answer:?}");
        }
    });
}
