//! Common Test Report Format (CTRF).

use std::time::Duration;

use anyhow::bail;
use preclinical_core::scenario::ScenarioStatus;
use serde::Deserialize;
use serde_json::Value;

use super::parsed::{Case, Parsed, explained, seconds};

#[derive(Deserialize)]
struct Document {
    results: Results,
}

#[derive(Deserialize)]
struct Results {
    tool: Option<Tool>,
    summary: Option<Summary>,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Tool {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Summary {
    start: Option<f64>,
    stop: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    name: String,
    status: String,
    /// The tool's own word for the status.
    raw_status: Option<String>,
    duration: Option<f64>,
    message: Option<String>,
    trace: Option<String>,
    /// A text in older files, a list of texts in newer ones.
    suite: Option<Value>,
    file_path: Option<String>,
}

/// A whole document as results.
pub(super) fn parse(text: &str) -> anyhow::Result<Parsed> {
    let Results { tool, summary, tests } = super::from_json::<Document>(text)?.results;
    let mut parsed = Parsed::named(tool.and_then(|tool| tool.name));
    for (index, test) in tests.into_iter().enumerate() {
        let status = match test.status.as_str() {
            "passed" => ScenarioStatus::Passed,
            "failed" => ScenarioStatus::Failed,
            "other" if !was_not_run(&test) => ScenarioStatus::Error,
            "skipped" | "pending" | "other" => {
                parsed.skipped += 1;
                continue;
            }
            _ => bail!("results.tests[{index}].status must be one of passed, failed, skipped, pending, other"),
        };
        parsed.push(status, case(test));
    }
    let milliseconds = summary.and_then(|summary| Some(summary.stop? - summary.start?));
    let duration = milliseconds.and_then(|milliseconds| seconds(milliseconds / 1000.0));
    parsed.duration = duration.filter(|duration| *duration > Duration::ZERO).unwrap_or_else(|| parsed.sum_of_durations());
    Ok(parsed)
}

/// Jest's tests that are yet to be written or switched off are `other`.
fn was_not_run(test: &Test) -> bool {
    matches!(test.raw_status.as_deref(), Some("todo" | "disabled"))
}

fn case(test: Test) -> Case {
    let suite = match test.suite {
        Some(Value::String(suite)) => suite,
        Some(Value::Array(suites)) => suites.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" > "),
        _ => String::new(),
    };
    let group = if suite.is_empty() { test.file_path.unwrap_or_default() } else { suite };
    let error = explained(test.message.as_deref().unwrap_or_default(), test.trace.as_deref().unwrap_or_default());
    let duration = test.duration.and_then(|milliseconds| seconds(milliseconds / 1000.0));
    Case { group, name: test.name, duration, error: Some(error), ..Case::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_place() {
        let parsed = parse(
            r#"{"results":{"tool":{"name":"jest"},"summary":{"start":1000,"stop":3500},"tests":[
                {"name":"a","status":"passed","duration":5,"suite":"s"},{"name":"b","status":"failed","message":"m","suite":["s","t"]},
                {"name":"c","status":"other"},{"name":"d","status":"skipped"},{"name":"e","status":"pending"},
                {"name":"f","status":"other","rawStatus":"todo"},{"name":"g","status":"other","rawStatus":"interrupted"}]}}"#,
        )
        .unwrap();
        let verdicts: Vec<_> =
            parsed.results.iter().map(|result| (result.scenario_id.as_str(), result.status.as_str())).collect();
        assert_eq!(verdicts, [("s::a", "passed"), ("s > t::b", "failed"), ("c", "error"), ("g", "error")]);
        assert_eq!((parsed.skipped, parsed.duration.as_millis()), (3, 2500));
    }

    #[test]
    fn a_wrong_status_or_type_is_named() {
        let error = |text| parse(text).unwrap_err().to_string();
        assert!(error(r#"{"results":{"tests":[{"name":"a","status":"green"}]}}"#).contains("results.tests[0].status"));
        assert!(error("{\"results\":{\"tests\":[\n{\"name\":1,\"status\":\"passed\"}]}}").starts_with("line 2"));
    }
}
