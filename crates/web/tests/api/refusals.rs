//! Bodies that are refused: each by the field that is wrong, and none leaves a trace.

use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, URL};

const INVALID: &str = "INVALID_FIELD_VALUE";
const MISSING: &str = "MISSING_REQUIRED_FIELD";

/// Sends each body to `path`; each must be refused for its field's sake and change no row.
async fn refused(app: &TestApp, method: &str, path: &str, bodies: Vec<(Value, &str, &str)>) {
    let (before, sent) = (app.database.rows(), app.handoff.sent().len());
    for (body, code, field) in bodies {
        let answer = app.api.call(method, path, body.to_string()).await;
        answer.refuses_field(code, field);
        assert_eq!(app.database.rows(), before, "{method} {path} {body}");
    }
    app.handoff.idle().await;
    assert_eq!((app.handoff.sent().len(), app.handoff.wakes()), (sent, 0));
}

/// `base` with one field changed, for each wrong value.
fn each<'a>(base: &Value, field: &'a str, wrong: Vec<Value>) -> Vec<(Value, &'static str, &'a str)> {
    let body = |value| {
        let mut body = base.clone();
        body[field] = value;
        (body, INVALID, field)
    };
    wrong.into_iter().map(body).collect()
}

/// `base` without a field that it needs, and with `null` for it.
fn without<'a>(base: &Value, field: &'a str) -> Vec<(Value, &'static str, &'a str)> {
    let (mut removed, mut null) = (base.clone(), base.clone());
    removed.as_object_mut().unwrap().remove(field);
    null[field] = Value::Null;
    vec![(removed, MISSING, field), (null, MISSING, field)]
}

/// What is no text of one line with at most so many bytes.
fn no_line(most: usize) -> Vec<Value> {
    let mut wrong = no_text(most);
    wrong.extend(["a\nb", "a\tb", "\r"].map(Value::from));
    wrong
}

/// What is no text of at most so many characters.
fn no_text(most: usize) -> Vec<Value> {
    let texts = ["", " ", "\n", "\u{a0}", "a\u{0}b", "\u{1b}[31mred", "a\u{7f}", "a\u{85}"].map(Value::from);
    let mut wrong = vec![json!(1), json!(true), json!([]), json!({}), json!(["a"])];
    wrong.extend(texts);
    wrong.extend([json!("a".repeat(most + 1)), json!("ü".repeat(most + 1))]);
    wrong
}

/// What is no count up to so many.
fn no_count(most: u64) -> Vec<Value> {
    let mut wrong =
        vec![json!(-1), json!(1.5), json!(-2.0), json!(1e300), json!("3"), json!(""), json!(true), json!([1]), json!({})];
    wrong.extend([json!(most + 1), json!(u64::MAX), json!(i64::MIN), json!(4_294_967_297_u64)]);
    wrong
}

fn no_flag() -> Vec<Value> {
    vec![json!("true"), json!(1), json!(0), json!(""), json!([]), json!({})]
}

fn no_id() -> Vec<Value> {
    vec![json!("me"), json!(""), json!(1), json!(["a"]), json!(format!("{NOBODY}0")), json!(NOBODY.replace('-', "_"))]
}

fn no_url() -> Vec<Value> {
    let texts = [
        "",
        " ",
        "example.com",
        "/hook",
        "//example.com/",
        "https://",
        "http://",
        "https://exa mple.com/",
        " https://example.com/",
        "https://example.com/\n",
        "https://example.com/\u{0}",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "data:text/plain,x",
        "ws://example.com/",
        "unix:/run/socket",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://:password@example.com/",
        "https://example.com/#",
        "https://example.com/#part",
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://localhost/",
        "http://a.LOCALHOST./",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.1.1:8080/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://169.254.169.254/latest/meta-data/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[::]/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fe80::1]/",
        "http://[fd00::1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[::1",
        "https://a:99999/",
    ];
    let mut wrong: Vec<Value> = texts.into_iter().map(Value::from).collect();
    wrong.extend([json!(1), json!(true), json!([URL]), json!({"url": URL}), json!(format!("{URL}/{}", "a".repeat(2048)))]);
    wrong
}

#[tokio::test]
async fn a_wrong_agent_is_refused() {
    let app = TestApp::new().await;
    let base = json!({"provider": "openai", "name": "Assistant", "config": {}});
    let providers = ["", "twilio", "OpenAI", "openai ", "openai\u{0}"].map(Value::from).into_iter();
    let mut bodies = ["provider", "name", "config"].map(|field| without(&base, field)).concat();
    bodies.extend(each(&base, "provider", providers.chain([json!(1), json!(["openai"]), json!({})]).collect()));
    bodies.extend(each(&base, "name", no_line(200)));
    bodies.extend(each(&base, "description", no_text(2000)));
    bodies.extend(each(&base, "config", vec![json!([]), json!("{}"), json!(1), json!(true)]));
    bodies.extend(each(&base, "is_active", no_flag()));
    for unknown in ["id", "Name", "name ", "created_at", "organization_id"] {
        bodies.extend(each(&base, unknown, vec![json!("x"), json!(null)]));
    }
    refused(&app, "POST", "/agents", bodies).await;
}

#[tokio::test]
async fn a_wrong_webhook_or_change_of_one_is_refused() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let webhook = app.api.webhook(URL, Some(&agent)).await;
    let base = json!({"url": URL});
    let no_standard_keys = ["whsec_", "whsec_AQID", "whsec_not base64", "whsec_--__--__--__--__--__--__--__--__"];
    let secrets = ["", "a\nb", "a\u{0}", "a\u{7f}"].into_iter().chain(no_standard_keys).map(Value::from);
    let secrets: Vec<Value> = secrets.chain([json!("a".repeat(513)), json!(1), json!([]), json!({})]).collect();
    let mut shared = each(&base, "url", no_url());
    shared.extend(each(&base, "secret", secrets));
    shared.extend(each(&base, "description", no_text(2000)));
    shared.extend(each(&base, "is_enabled", no_flag()));
    let wishes = ["", "ALL", "on", "newest"].map(Value::from).into_iter();
    shared.extend(each(&base, "replay_on_recovery", wishes.chain([json!(true), json!(1), json!(["all"])]).collect()));
    for unknown in ["id", "URL", "last_triggered_at", "consecutive_failures", "created_at", "headers"] {
        shared.extend(each(&base, unknown, vec![json!("x")]));
    }
    let mut creating = shared.clone();
    creating.extend(without(&base, "url"));
    creating.extend(each(&base, "agent_id", no_id()));
    creating.push((json!({"url": URL, "agent_id": NOBODY}), "AGENT_NOT_FOUND", "agent_id"));
    refused(&app, "POST", "/webhooks", creating).await;
    shared.extend(each(&base, "agent_id", vec![json!(agent), json!(null), json!(NOBODY)]));
    refused(&app, "PUT", &format!("/webhooks/{webhook}"), shared).await;
}

#[tokio::test]
async fn a_wrong_run_is_refused_and_no_number_is_lost() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let base = json!({"agent_id": agent});
    let mut bodies = without(&base, "agent_id");
    bodies.extend(each(&base, "agent_id", no_id()));
    bodies.push((json!({"agent_id": NOBODY}), "AGENT_NOT_FOUND", "agent_id"));
    bodies.extend(each(&base, "name", no_line(200)));
    bodies.extend(each(&base, "test_suite_id", no_id()));
    bodies.extend(each(&base, "test_mode", vec![json!("Demo"), json!(""), json!(1), json!(["demo"])]));
    for field in ["total_scenarios", "max_scenarios", "max_turns"] {
        bodies.extend(each(&base, field, no_count(10_000_000)));
        bodies.extend(each(&base, field, vec![json!(0)]));
    }
    let statuses = ["completed", "failed", "canceled", "grading", "Running", ""].map(Value::from).into_iter();
    bodies.extend(each(&base, "status", statuses.chain([json!(1), json!(false)]).collect()));
    let times = [
        "",
        "now",
        "2026-01-30",
        "2026-01-30T10:30:01Z",
        "2025-12-31T10:29:59Z",
        "-009999-01-01T00:00:00Z",
        "9999-12-30T00:00:00Z",
    ];
    bodies.extend(each(&base, "started_at", times.map(Value::from).into_iter().chain([json!(1_769_769_000)]).collect()));
    bodies.extend(each(&json!({"agent_id": agent, "status": "pending"}), "started_at", vec![json!("2026-01-30T10:00:00Z")]));
    for unknown in ["id", "organization_id", "created_at", "completed_at", "number"] {
        bodies.extend(each(&base, unknown, vec![json!("x")]));
    }
    refused(&app, "POST", "/runs", bodies).await;
    assert_eq!(app.api.post("/runs", base).await.is(201)["test_run_id"], "TR-00001", "no number was lost");
}

fn report(field: &str, value: Value) -> Value {
    let mut result = json!({"scenario_id": "new", "scenario_name": "New", "status": "passed"});
    result[field] = value;
    json!({"results": [{"scenario_id": "before", "scenario_name": "Before", "status": "passed"}, result]})
}

#[tokio::test]
async fn a_wrong_report_is_refused() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    app.api.webhook(URL, None).await;
    let run = app.api.run(&agent, Some(2)).await;
    let known = json!({"scenario_id": "known", "scenario_name": "Known", "status": "passed"});
    app.api.post(&format!("/runs/{run}/results"), json!({"results": [known]})).await.is(200);
    let base = json!({"results": []});
    let mut bodies = without(&base, "results");
    let too_many = vec![known.clone(); 1001];
    bodies.extend(each(&base, "results", vec![json!([]), json!({}), json!("x"), json!(1), known.clone(), json!(too_many)]));
    for wrong in [json!(null), json!(1), json!("x"), json!([known])] {
        bodies.push((json!({"results": [known, wrong]}), INVALID, "results[1]"));
    }
    let statuses = ["", "skipped", "Passed", "pending"].map(Value::from).into_iter().chain([json!(1), json!(true)]);
    let texts = || vec![json!(1), json!([]), json!({}), json!("a\u{0}"), json!("a".repeat(65_537))];
    let fields: [(&str, &str, Vec<Value>); 6] = [
        ("scenario_id", "results[1].scenario_id", no_line(200)),
        ("scenario_name", "results[1].scenario_name", no_line(500)),
        ("status", "results[1].status", statuses.collect()),
        (
            "duration_ms",
            "results[1].duration_ms",
            no_count(2_592_000_000).into_iter().filter(|n| *n != json!(4_294_967_297_u64)).collect(),
        ),
        ("grade_summary", "results[1].grade_summary", texts()),
        ("error_message", "results[1].error_message", texts()),
    ];
    for (field, path, wrong) in fields {
        bodies.extend(wrong.into_iter().map(|value| (report(field, value), INVALID, path)));
    }
    for (field, path) in [
        ("scenario_id", "results[1].scenario_id"),
        ("scenario_name", "results[1].scenario_name"),
        ("status", "results[1].status"),
    ] {
        bodies.push((report(field, Value::Null), MISSING, path));
    }
    bodies.push((report("score", json!(1)), INVALID, "results[1].score"));
    bodies.push((json!({"results": [known], "final": true}), INVALID, "final"));
    bodies.push((report("scenario_id", json!("before")), INVALID, "results[1].scenario_id"));
    bodies.push((report("scenario_id", json!("known")), INVALID, "results[1].scenario_id"));
    bodies.push((report("duration_ms", json!(5)), INVALID, "results"));
    refused(&app, "POST", &format!("/runs/{run}/results"), bodies).await;
}

#[tokio::test]
async fn a_wrong_ending_is_refused() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    app.api.webhook(URL, None).await;
    let (run, reported) = (app.api.run(&agent, Some(10)).await, app.api.run(&agent, Some(10)).await);
    let result = json!({"scenario_id": "1", "scenario_name": "One", "status": "passed"});
    app.api.post(&format!("/runs/{reported}/results"), json!({"results": [result]})).await.is(200);
    let base = json!({});
    let mut bodies = Vec::new();
    for count in ["passed_count", "failed_count", "error_count", "total_scenarios"] {
        bodies.extend(each(&base, count, no_count(10_000_000)));
    }
    let statuses = ["", "canceled", "running", "COMPLETED"].map(Value::from).into_iter();
    bodies.extend(each(&base, "status", statuses.chain([json!(1), json!({})]).collect()));
    for unknown in ["pass_rate", "completed_at", "name"] {
        bodies.extend(each(&base, unknown, vec![json!(1)]));
    }
    for counts in [
        json!({"passed_count": 1, "total_scenarios": 0}),
        json!({"passed_count": 5, "failed_count": 3, "error_count": 3, "total_scenarios": 10}),
        json!({"passed_count": 10_000_000, "failed_count": 10_000_000, "error_count": 10_000_000, "total_scenarios": 10_000_000}),
    ] {
        bodies.push((counts, INVALID, "total_scenarios"));
    }
    refused(&app, "POST", &format!("/runs/{run}/complete"), bodies).await;
    let counts = [json!({"passed_count": 1}), json!({"error_count": 0}), json!({"total_scenarios": 10})];
    let counts = counts.map(|counts| (counts, INVALID, "passed_count")).to_vec();
    refused(&app, "POST", &format!("/runs/{reported}/complete"), counts).await;
    for run in [&run, &reported] {
        refused(&app, "POST", &format!("/runs/{run}/cancel"), each(&base, "reason", vec![json!("x")])).await;
    }
}

#[tokio::test]
async fn a_field_where_none_is_known_is_refused() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let webhook = app.api.webhook(URL, None).await;
    let delivery = app.api.delivered(&agent).await;
    for path in [format!("/webhooks/{webhook}/test"), format!("/webhooks/deliveries/{delivery}/redeliver")] {
        refused(&app, "POST", &path, each(&json!({}), "url", vec![json!(URL), json!(null)])).await;
    }
}
