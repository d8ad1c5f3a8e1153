//! promptfoo's results: each row is one prompt against one provider with one set of variables.

use std::collections::HashSet;

use preclinical_core::scenario::ScenarioStatus;
use serde::Deserialize;
use serde_json::{Value, json};

use super::parsed::{Case, Parsed, seconds};

/// promptfoo's `failureReason` for a row that an assertion refused, and for one that could not be judged at all. Older
/// versions write none, and 0 says nothing.
const REASON_ASSERTION: i64 = 1;
const REASON_ERROR: i64 = 2;

#[derive(Deserialize)]
struct Document {
    config: Option<Config>,
    results: Results,
}

#[derive(Deserialize)]
struct Config {
    description: Option<String>,
}

#[derive(Deserialize)]
struct Results {
    results: Vec<Row>,
    stats: Option<Stats>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    duration_ms: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    test_idx: Option<u64>,
    prompt_idx: Option<u64>,
    description: Option<String>,
    success: bool,
    error: Option<String>,
    failure_reason: Option<i64>,
    grading_result: Option<Grading>,
    latency_ms: Option<f64>,
    #[serde(default)]
    prompt: Value,
    #[serde(default)]
    provider: Value,
    #[serde(default)]
    response: Value,
    #[serde(default)]
    test_case: Value,
    #[serde(default)]
    vars: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Grading {
    reason: Option<String>,
    #[serde(default)]
    component_results: Option<Vec<Value>>,
}

/// A whole document as results, in the order of the tests: promptfoo writes rows in the order in which they ended.
pub(super) fn parse(text: &str) -> anyhow::Result<Parsed> {
    let Document { config, results } = super::from_json(text)?;
    let mut parsed = Parsed::named(config.and_then(|config| config.description));
    let mut rows = results.results;
    rows.sort_by_key(|row| (row.test_idx, row.prompt_idx));
    let prompts: HashSet<&str> = rows.iter().map(label).collect();
    let many_prompts = prompts.len() > 1;
    for row in rows {
        parsed.push(verdict(&row), case(row, many_prompts));
    }
    let measured = results.stats.and_then(|stats| stats.duration_ms).map(|milliseconds| milliseconds / 1000.0);
    parsed.duration = measured.and_then(seconds).unwrap_or_else(|| parsed.sum_of_durations());
    Ok(parsed)
}

fn verdict(row: &Row) -> ScenarioStatus {
    match row.failure_reason {
        _ if row.success => ScenarioStatus::Passed,
        Some(REASON_ASSERTION) => ScenarioStatus::Failed,
        Some(REASON_ERROR) => ScenarioStatus::Error,
        _ if row.grading_result.is_some() => ScenarioStatus::Failed,
        _ => ScenarioStatus::Error,
    }
}

/// The prompt before its variables were filled in.
fn label(row: &Row) -> &str {
    row.prompt["label"].as_str().unwrap_or_default()
}

/// The provider, and the prompt where there are several.
fn group(row: &Row, many_prompts: bool) -> String {
    let provider = &row.provider;
    let name = provider["label"].as_str().filter(|label| !label.is_empty()).or(provider["id"].as_str());
    let name = name.or(provider.as_str()).unwrap_or_default();
    if many_prompts { format!("{name} > {}", label(row)) } else { name.to_owned() }
}

fn case(row: Row, many_prompts: bool) -> Case {
    let group = group(&row, many_prompts);
    let prompt = row.prompt["raw"].as_str().unwrap_or_default();
    let description = row.test_case["description"].as_str().or(row.description.as_deref());
    let name = description.map_or_else(|| described_by_variables(&row.vars, prompt), str::to_owned);
    let output = match &row.response["output"] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let mut transcript = vec![json!({"role": "attacker", "content": prompt, "turn": 1})];
    transcript.extend(output.map(|output| json!({"role": "target", "content": output, "turn": 1})));
    let (reason, components) =
        row.grading_result.map_or((None, None), |grading| (grading.reason, grading.component_results));
    Case {
        group,
        name,
        duration: row.latency_ms.and_then(|milliseconds| seconds(milliseconds / 1000.0)),
        summary: reason,
        criteria: components.map(|components| components.iter().map(criterion).collect()),
        transcript: Some(Value::Array(transcript)),
        error: row.error,
    }
}

/// promptfoo's tests need no name; the variables are what tells them apart.
fn described_by_variables(vars: &Value, prompt: &str) -> String {
    let pairs = vars.as_object().into_iter().flatten();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let described: Vec<String> = pairs.map(|(name, value)| format!("{name}: {}", text(value))).collect();
    if described.is_empty() { prompt.to_owned() } else { described.join(", ") }
}

fn criterion(component: &Value) -> Value {
    let assertion = &component["assertion"];
    json!({
        "criterion": assertion["type"],
        "expected": assertion["value"],
        "passed": component["pass"],
        "score": component["score"],
        "reason": component["reason"],
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn success_failure_and_error_are_told_apart() {
        let parsed = parse(
            r#"{"results":{"stats":{"durationMs":1500},"results":[
                {"success":true,"latencyMs":3,"provider":{"id":"p"},"prompt":{"raw":"hi"},"response":{"output":"ho"},
                 "vars":{"who":"me"},"gradingResult":{"pass":true,"reason":"ok","componentResults":[{"pass":true,"score":1,"reason":"r","assertion":{"type":"contains","value":"h"}}]}},
                {"success":false,"failureReason":1,"error":"no","gradingResult":{"reason":"no"},"testCase":{"description":"d"}},
                {"success":false,"failureReason":2,"error":"boom"},
                {"success":false,"error":"old"},
                {"success":false,"failureReason":0,"gradingResult":{"reason":"old, too"}}]}}"#,
        )
        .unwrap();
        let verdicts: Vec<_> = parsed.results.iter().map(|result| result.status.as_str()).collect();
        assert_eq!(verdicts, ["passed", "failed", "error", "error", "failed"]);
        let first = &parsed.results[0];
        assert_eq!((first.scenario_id.as_str(), first.duration_ms), ("p::who: me", Some(3)));
        assert_eq!(first.transcript.as_ref().unwrap()[1]["content"], "ho");
        assert_eq!(first.criteria_results.as_ref().unwrap()[0]["criterion"], "contains");
        assert_eq!((parsed.results[1].scenario_name.as_str(), parsed.duration), ("d", Duration::from_millis(1500)));
    }

    #[test]
    fn ids_do_not_depend_on_the_order_in_which_tests_ended() {
        let row = |test: u32, prompt: u32| {
            format!(
                r#"{{"success":true,"testIdx":{test},"promptIdx":{prompt},"provider":{{"id":"p"}},
                    "prompt":{{"label":"prompt {prompt}"}},"description":"test {}"}}"#,
                test % 2
            )
        };
        let ids = |rows: &[String]| {
            let parsed = parse(&format!(r#"{{"results":{{"results":[{}]}}}}"#, rows.join(","))).unwrap();
            parsed.results.into_iter().map(|result| result.scenario_id).collect::<Vec<_>>()
        };
        let expected = ["p > prompt 0::test 0", "p > prompt 1::test 0", "p > prompt 0::test 1", "p > prompt 0::test 0 #2"];
        assert_eq!(ids(&[row(1, 0), row(2, 0), row(0, 1), row(0, 0)]), expected);
        assert_eq!(ids(&[row(0, 0)]), ["p::test 0"]);
    }
}
