//! What all formats come down to.

use std::{collections::HashMap, time::Duration};

use preclinical_core::scenario::{ScenarioResult, ScenarioStatus};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The server's limits, in bytes: names of scenarios and runs, ids, and longer texts.
pub(super) const LONGEST_NAME: usize = 500;
pub(super) const LONGEST_RUN_NAME: usize = 200;
pub(super) const LONGEST_ID: usize = 200;
pub(super) const LONGEST_TEXT: usize = 64 * 1024;

/// The longest duration of a scenario that the server takes.
pub(super) const LONGEST_DURATION: Duration = Duration::from_hours(30 * 24);

/// The contents of one file, or of several together.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// What the report calls itself.
    pub(super) name: Option<String>,
    /// The results, in the order of the file.
    pub(super) results: Vec<ScenarioResult>,
    /// Tests that were not run.
    pub(super) skipped: u64,
    /// How long all of it took; the sum of the results if nothing better is known.
    pub(super) duration: Duration,
    ids: HashMap<String, u32>,
}

/// A test case in the words of its tool.
#[derive(Debug, Default)]
pub(super) struct Case {
    /// Where the test belongs: a class, file or suite. May be empty.
    pub(super) group: String,
    pub(super) name: String,
    pub(super) duration: Option<Duration>,
    pub(super) summary: Option<String>,
    pub(super) criteria: Option<Value>,
    pub(super) transcript: Option<Value>,
    pub(super) error: Option<String>,
}

impl Parsed {
    /// Nothing yet, under a name; a blank one is none.
    pub(super) fn named(name: Option<String>) -> Self {
        Self { name: name.filter(|name| !name.trim().is_empty()), ..Self::default() }
    }

    /// Adds a case that was judged. One that passed has no error, whatever its tool writes about earlier attempts.
    pub(super) fn push(&mut self, status: ScenarioStatus, case: Case) {
        let (group, name) = (plain(case.group.trim()), plain(case.name.trim()));
        let name = if name.is_empty() { &group } else { &name };
        let id = if group.is_empty() || group == *name { name.clone() } else { format!("{group}::{name}") };
        let text = |text: Option<String>| {
            text.map(|text| plain(&text)).filter(|text| !text.trim().is_empty()).map(|text| shorten(&text, LONGEST_TEXT))
        };
        self.keep(ScenarioResult {
            scenario_id: id,
            scenario_name: one_line(name, LONGEST_NAME),
            status,
            grade_summary: text(case.summary),
            criteria_results: case.criteria,
            transcript: case.transcript,
            duration_ms: case.duration.map(milliseconds),
            error_message: text(case.error).filter(|_| status != ScenarioStatus::Passed),
        });
    }

    /// Adds a result under an id that no other has: tools repeat names, and two tests are two scenarios.
    pub(super) fn keep(&mut self, mut result: ScenarioResult) {
        let id = fitting_id(&result.scenario_id);
        let mut candidate = id.clone();
        while self.ids.contains_key(&candidate) {
            let count = self.ids.entry(id.clone()).or_insert(1);
            *count += 1;
            candidate = fitting_id(&format!("{id} #{count}"));
        }
        self.ids.insert(candidate.clone(), 1);
        result.scenario_id = candidate;
        self.results.push(result);
    }

    /// Adds what another file holds, but not its name.
    pub(super) fn add(&mut self, other: Self) {
        self.skipped += other.skipped;
        self.duration = self.duration.saturating_add(other.duration).min(LONGEST_DURATION);
        other.results.into_iter().for_each(|result| self.keep(result));
    }

    /// The sum of what single tests took.
    pub(super) fn sum_of_durations(&self) -> Duration {
        let milliseconds = self.results.iter().filter_map(|result| result.duration_ms);
        Duration::from_millis(milliseconds.fold(0, u64::saturating_add)).min(LONGEST_DURATION)
    }
}

/// Seconds as tools write them; nothing for what is no duration.
pub(super) fn seconds(value: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(value).ok().filter(|duration| *duration <= LONGEST_DURATION)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.min(LONGEST_DURATION).as_millis()).unwrap_or(u64::MAX)
}

/// A message and its details as one text. Most tools repeat the message at the beginning of the details.
pub(super) fn explained(message: &str, details: &str) -> String {
    let (message, details) = (message.trim(), details.trim());
    if details.starts_with(message) { details.to_owned() } else { format!("{message}\n{details}").trim_end().to_owned() }
}

/// Without what colours a terminal, and without NUL: tools write both.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string().replace('\0', "")
}

/// One line without control characters, at most so long, never empty.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = shorten(line.trim(), most);
    if line.is_empty() { "(no name)".to_owned() } else { line }
}

/// An id within the server's limit. One that is too long ends in a hash of all of it, so that it stays unique and stable.
fn fitting_id(id: &str) -> String {
    let line = one_line(id, usize::MAX);
    if line.len() <= LONGEST_ID {
        return line;
    }
    let hash = Sha256::digest(line.as_bytes());
    let hash = hash.iter().take(8).fold(0_u64, |hash, byte| hash << 8 | u64::from(*byte));
    format!("{}-{hash:016x}", cut(&line, LONGEST_ID - 17))
}

fn shorten(text: &str, most: usize) -> String {
    if text.len() <= most { text.to_owned() } else { format!("{}…", cut(text, most.saturating_sub(3))) }
}

fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(group: &str, name: &str) -> Case {
        Case { group: group.into(), name: name.into(), ..Case::default() }
    }

    #[test]
    fn tests_of_one_name_stay_two_scenarios_with_stable_ids() {
        let ids = |names: [&str; 4]| {
            let mut parsed = Parsed::default();
            for name in names {
                parsed.push(ScenarioStatus::Passed, case("x", name));
            }
            parsed.results.into_iter().map(|result| result.scenario_id).collect::<Vec<_>>()
        };
        assert_eq!(ids(["a", "a", "a #2", "a"]), ["x::a", "x::a #2", "x::a #2 #2", "x::a #3"]);
        assert_eq!(ids(["a #2", "a", "a", "a"]), ["x::a #2", "x::a", "x::a #3", "x::a #4"]);
    }

    #[test]
    fn an_id_says_nothing_twice_and_a_test_without_a_name_is_called_like_its_group() {
        let mut parsed = Parsed::default();
        for (group, name) in [("a b", " a b"), ("org.example.SetupTest", ""), ("", "alone")] {
            parsed.push(ScenarioStatus::Passed, case(group, name));
        }
        let of = |result: &ScenarioResult| (result.scenario_id.clone(), result.scenario_name.clone());
        let twice = |text: &str| (text.to_owned(), text.to_owned());
        let expected = [twice("a b"), twice("org.example.SetupTest"), twice("alone")];
        assert_eq!(parsed.results.iter().map(of).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn colours_and_repeated_messages_are_left_out() {
        let mut parsed = Parsed::default();
        let error = Some("\u{1b}[31mexpected\u{1b}[39m\n\t4\0".to_owned());
        parsed.push(ScenarioStatus::Failed, Case { error, ..case("", "\u{1b}[1mbold\u{1b}[0m") });
        assert_eq!(parsed.results[0].error_message.as_deref(), Some("expected\n\t4"));
        assert_eq!(parsed.results[0].scenario_id, "bold");
        assert_eq!(explained("one\ntwo", " one\ntwo\n  at line 3\n"), "one\ntwo\n  at line 3");
        assert_eq!(explained("one", "E one"), "one\nE one");
        assert_eq!((explained("one", "").as_str(), explained("", "two").as_str()), ("one", "two"));
    }

    #[test]
    fn names_and_ids_fit_the_server_whatever_a_tool_wrote() {
        let mut parsed = Parsed::default();
        parsed.push(ScenarioStatus::Passed, case("", "\n"));
        parsed.push(ScenarioStatus::Failed, case(&"ä".repeat(300), &"ß".repeat(900)));
        parsed.push(ScenarioStatus::Failed, case(&"ä".repeat(300), &"ß".repeat(901)));
        for result in &parsed.results {
            assert!((1..=LONGEST_ID).contains(&result.scenario_id.len()));
            assert!((1..=LONGEST_NAME).contains(&result.scenario_name.len()));
        }
        assert_ne!(parsed.results[1].scenario_id, parsed.results[2].scenario_id);
    }
}
