//! Preclinical's own JSON: the body of `POST /runs/{id}/results`, with the run's name and duration beside it.

use std::{collections::HashMap, time::Duration};

use anyhow::{anyhow, bail};
use preclinical_core::scenario::{ScenarioResult, ScenarioStatus};
use serde::Deserialize;
use serde_json::Value;

use super::parsed::{LONGEST_DURATION, LONGEST_ID, LONGEST_NAME, LONGEST_TEXT, Parsed};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: Option<String>,
    duration_ms: Option<u64>,
    results: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    scenario_id: String,
    scenario_name: String,
    status: ScenarioStatus,
    grade_summary: Option<String>,
    criteria_results: Option<Value>,
    transcript: Option<Value>,
    duration_ms: Option<u64>,
    error_message: Option<String>,
}

/// A whole document as results. Nothing in it is mended: what the server would refuse is refused here.
pub(super) fn parse(text: &str) -> anyhow::Result<Parsed> {
    let Document { name, duration_ms, results } = super::from_json(text)?;
    let mut parsed = Parsed::named(name);
    let mut seen = HashMap::new();
    for (index, entry) in results.into_iter().enumerate() {
        check(&entry).map_err(|why| anyhow!("results[{index}].{why}"))?;
        if let Some(first) = seen.insert(entry.scenario_id.clone(), index) {
            bail!("results[{index}].scenario_id repeats results[{first}].scenario_id");
        }
        parsed.keep(result(entry));
    }
    parsed.duration = duration_ms.map_or_else(|| parsed.sum_of_durations(), Duration::from_millis);
    Ok(parsed)
}

fn check(entry: &Entry) -> Result<(), String> {
    for (field, line, most) in
        [("scenario_id", &entry.scenario_id, LONGEST_ID), ("scenario_name", &entry.scenario_name, LONGEST_NAME)]
    {
        if line.trim().is_empty() || line.len() > most || line.chars().any(char::is_control) {
            return Err(format!("{field} must be 1 to {most} bytes without control characters"));
        }
    }
    for (field, text) in [("grade_summary", &entry.grade_summary), ("error_message", &entry.error_message)] {
        if text.as_ref().is_some_and(|text| text.len() > LONGEST_TEXT || text.contains('\0')) {
            return Err(format!("{field} must be at most {LONGEST_TEXT} bytes without NUL"));
        }
    }
    if entry.duration_ms.is_some_and(|duration| Duration::from_millis(duration) > LONGEST_DURATION) {
        return Err(format!("duration_ms must be at most {} (30 days)", LONGEST_DURATION.as_millis()));
    }
    Ok(())
}

fn result(entry: Entry) -> ScenarioResult {
    ScenarioResult {
        scenario_id: entry.scenario_id,
        scenario_name: entry.scenario_name,
        status: entry.status,
        grade_summary: entry.grade_summary,
        criteria_results: entry.criteria_results,
        transcript: entry.transcript,
        duration_ms: entry.duration_ms,
        error_message: entry.error_message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESULT: &str = r#"{"scenario_id":"a","scenario_name":"A","status":"passed"}"#;

    fn with(field: &str, json: &str) -> String {
        format!("{{\"results\":[{},\"{field}\":{json}}}]}}", RESULT.trim_end_matches('}'))
    }

    #[test]
    fn the_documented_form_is_read() {
        let parsed = parse(&format!(r#"{{"name":"n","duration_ms":1200,"results":[{RESULT}]}}"#)).unwrap();
        assert_eq!((parsed.name.as_deref(), parsed.duration.as_millis(), parsed.results.len()), (Some("n"), 1200, 1));
    }

    #[test]
    fn what_is_wrong_is_named_by_line_or_field() {
        for (text, cause) in [
            ("{\"results\":[\n{\"scenario_id\":\"a\"}]}".to_owned(), "line 2"),
            (format!("{{\"results\":[{RESULT},{RESULT}]}}"), "results[1].scenario_id repeats results[0]"),
            (
                r#"{"results":[{"scenario_id":" ","scenario_name":"A","status":"passed"}]}"#.to_owned(),
                "results[0].scenario_id",
            ),
            (r#"{"results":[{"scenario_id":"a","scenario_name":"A","status":"green"}]}"#.to_owned(), "green"),
            (r#"{"results":[{"scenario_id":"a","scenario_name":"A","status":"passed","duration_ms":-1}]}"#.to_owned(), "-1"),
            (r#"{"results":[],"typo":1}"#.to_owned(), "typo"),
            (with("duration_ms", "2592000001"), "results[0].duration_ms"),
            (with("error_message", &format!("\"{}\"", "x".repeat(LONGEST_TEXT + 1))), "results[0].error_message"),
            (with("grade_summary", r#""\u0000""#), "results[0].grade_summary"),
        ] {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(cause), "{error}");
        }
    }
}
