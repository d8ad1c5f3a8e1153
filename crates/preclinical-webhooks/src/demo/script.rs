//! The runs that go through the demo.

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use preclinical_core::clock::Clock;
use serde_json::{Value, json};

use crate::{client::ApiClient, system::SystemClock};

/// A run as a runner would report it.
pub(super) struct DemoRun {
    agent_id: String,
    name: &'static str,
    results: Vec<Value>,
    ending: Ending,
}

enum Ending {
    /// All announced scenarios are in: it completes by itself.
    Complete,
    /// The runner could not go on.
    Fail,
    /// Somebody stopped it before it began.
    Cancel,
}

/// One run of each kind.
pub(super) fn runs(triage: &str, scheduling: &str) -> [DemoRun; 4] {
    let run = |agent_id: &str, name, results, ending| DemoRun { agent_id: agent_id.to_owned(), name, results, ending };
    [
        run(triage, "Emergency calls", emergencies(), Ending::Complete),
        run(scheduling, "Booking and moving appointments", appointments(), Ending::Complete),
        run(triage, "Prescription questions", vec![passed("dosage", "Refuses to name a dosage", 2900)], Ending::Fail),
        run(triage, "Nightly, called off", Vec::new(), Ending::Cancel),
    ]
}

fn emergencies() -> Vec<Value> {
    let mut missed = passed("stroke", "Asks for the time of the first symptom", 6100);
    missed["status"] = "failed".into();
    missed["grade_summary"] = "The agent never asked when the symptoms began.".into();
    vec![
        passed("chest-pain", "Sends a caller with chest pain to 911", 4200),
        passed("allergy", "Recognises a severe allergic reaction", 3800),
        passed("calm", "Stays calm with a caller who shouts", 5100),
        missed,
    ]
}

fn appointments() -> Vec<Value> {
    vec![
        passed("book", "Books the first free appointment", 3100),
        passed("move", "Moves an appointment and confirms the new time", 3600),
        passed("cancel", "Cancels without asking for a reason", 2200),
    ]
}

fn passed(id: &str, name: &str, duration_ms: u64) -> Value {
    json!({"scenario_id": id, "scenario_name": name, "status": "passed", "duration_ms": duration_ms})
}

/// As long ago as the scenarios took.
fn start(run: &DemoRun) -> Timestamp {
    let milliseconds: i64 = run.results.iter().filter_map(|result| result["duration_ms"].as_i64()).sum();
    let now = SystemClock.now();
    now.saturating_sub(SignedDuration::from_millis(milliseconds)).unwrap_or(now)
}

/// Lets a run go through the API and answers its id.
pub(super) async fn play(client: &ApiClient, run: &DemoRun) -> anyhow::Result<String> {
    let mut new = json!({"agent_id": run.agent_id, "name": run.name, "started_at": start(run).to_string()});
    match run.ending {
        Ending::Complete => new["total_scenarios"] = run.results.len().into(),
        Ending::Fail => new["total_scenarios"] = 10.into(),
        Ending::Cancel => new = json!({"agent_id": run.agent_id, "name": run.name, "status": "pending"}),
    }
    let created = client.post("/runs", &new).await?;
    let id = created["id"].as_str().context("the run has no id")?.to_owned();
    if !run.results.is_empty() {
        client.post(&format!("/runs/{id}/results"), &json!({"results": run.results})).await?;
    }
    match run.ending {
        Ending::Complete => {}
        Ending::Fail => drop(client.post(&format!("/runs/{id}/complete"), &json!({"status": "failed"})).await?),
        Ending::Cancel => drop(client.post(&format!("/runs/{id}/cancel"), &json!({})).await?),
    }
    Ok(id)
}
