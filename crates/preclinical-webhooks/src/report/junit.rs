//! JUnit XML. There is no standard: what pytest, cargo-nextest, Surefire, jest-junit and Playwright write has the same
//! elements in different places, so elements are taken wherever they are and unknown ones are passed over.

use std::time::Duration;

use anyhow::{anyhow, bail};
use preclinical_core::scenario::ScenarioStatus;
use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

use super::{
    line_at,
    parsed::{Case, Parsed, seconds},
};
use crate::terminal::printable;

/// How deep elements may lie in each other.
const DEEPEST: usize = 100;

/// A whole document as results.
pub(super) fn parse(text: &str) -> anyhow::Result<Parsed> {
    let mut reader = Reader::from_str(text);
    let mut document = Document::default();
    loop {
        let event = reader.read_event();
        let position = if event.is_err() { reader.error_position() } else { reader.buffer_position() };
        let step = match event {
            Ok(Event::Eof) => break,
            Ok(event) => document.take(&event),
            Err(error) => Err(error.into()),
        };
        step.map_err(|error| {
            let line = line_at(text.as_bytes(), usize::try_from(position).unwrap_or(usize::MAX));
            anyhow!("line {line}: {}", printable(&error.to_string()))
        })?;
    }
    document.finish(line_at(text.as_bytes(), text.trim_end().len()))
}

#[derive(Default)]
struct Document {
    parsed: Parsed,
    /// The elements around what is being read.
    open: Vec<String>,
    /// The names of the suites around it.
    suites: Vec<String>,
    case: Option<OpenCase>,
    /// What the outermost elements say it took.
    duration: Option<Duration>,
    root: Option<String>,
    cases: u64,
}

#[derive(Default)]
struct OpenCase {
    case: Case,
    verdict: Verdict,
    /// The text of the verdict's element is being read; elements in it begin at that depth.
    reading: Option<usize>,
}

#[derive(Default, PartialEq, PartialOrd)]
enum Verdict {
    #[default]
    Passed,
    Skipped,
    Failed,
    Error,
}

impl Document {
    fn take(&mut self, event: &Event<'_>) -> anyhow::Result<()> {
        match event {
            Event::Start(element) => {
                self.start(element)?;
                self.open.push(element.name().as_ref().to_owned());
                if self.open.len() > DEEPEST {
                    bail!("elements lie more than {DEEPEST} deep in each other");
                }
            }
            Event::Empty(element) => {
                self.start(element)?;
                self.end(element.name().as_ref());
            }
            Event::End(element) => {
                self.open.pop();
                self.end(element.name().as_ref());
            }
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref()? {
                Some(c) => self.text(c.encode_utf8(&mut [0; 4])),
                None => match resolve_predefined_entity(reference) {
                    Some(text) => self.text(text),
                    None => bail!("the entity &{}; is not known", reference.as_ref()),
                },
            },
            Event::DocType(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn start(&mut self, element: &BytesStart<'_>) -> anyhow::Result<()> {
        element.attributes().try_for_each(|attribute| attribute.map(drop))?;
        let name = element.name();
        let name = name.as_ref();
        if self.root.is_none() {
            if !matches!(name, "testsuites" | "testsuite") {
                bail!("the root is <{name}>, not <testsuites> or <testsuite>: this is no JUnit XML");
            }
            self.root = Some(name.to_owned());
        }
        match name {
            "testsuites" => {
                self.duration = time(element)?;
                self.parsed.name = attribute(element, "name")?.filter(|name| !name.trim().is_empty());
            }
            "testsuite" => self.start_suite(element)?,
            "testcase" if self.case.is_some() => bail!("a <testcase> lies in another"),
            "testcase" => {
                let class = attribute(element, "classname")?.filter(|class| !class.is_empty());
                let group = class.or_else(|| self.suites.last().cloned()).unwrap_or_default();
                let Some(name) = attribute(element, "name")? else { bail!("a <testcase> has no name") };
                let case = Case { group, name, duration: time(element)?, ..Case::default() };
                self.case = Some(OpenCase { case, ..OpenCase::default() });
            }
            "failure" => self.start_verdict(Verdict::Failed, element)?,
            "error" => self.start_verdict(Verdict::Error, element)?,
            "skipped" => self.start_verdict(Verdict::Skipped, element)?,
            _ => {}
        }
        Ok(())
    }

    fn start_suite(&mut self, element: &BytesStart<'_>) -> anyhow::Result<()> {
        if self.suites.is_empty() && self.root.as_deref() == Some("testsuite") {
            self.duration = time(element)?;
            self.parsed.name = attribute(element, "name")?.filter(|name| !name.trim().is_empty());
        }
        self.suites.push(attribute(element, "name")?.unwrap_or_default());
        Ok(())
    }

    /// The worst verdict of a case counts, and its words are kept.
    fn start_verdict(&mut self, verdict: Verdict, element: &BytesStart<'_>) -> anyhow::Result<()> {
        let depth = self.open.len();
        let in_case = self.open.last().is_some_and(|parent| parent == "testcase");
        let Some(open) = self.case.as_mut().filter(|open| in_case && verdict > open.verdict) else { return Ok(()) };
        open.verdict = verdict;
        open.reading = Some(depth);
        open.case.error = Some(attribute(element, "message")?.map(|message| format!("{message}\n")).unwrap_or_default());
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(OpenCase { reading: Some(_), case, .. }) = &mut self.case {
            case.error.get_or_insert_default().push_str(text);
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "testsuite" => drop(self.suites.pop()),
            "testcase" => {
                if let Some(open) = self.case.take() {
                    self.finish_case(open);
                }
            }
            _ => {
                let depth = self.open.len();
                if let Some(open) = self.case.as_mut().filter(|open| open.reading == Some(depth)) {
                    open.reading = None;
                }
            }
        }
    }

    fn finish_case(&mut self, OpenCase { mut case, verdict, .. }: OpenCase) {
        self.cases += 1;
        let status = match verdict {
            Verdict::Passed => ScenarioStatus::Passed,
            Verdict::Failed => ScenarioStatus::Failed,
            Verdict::Error => ScenarioStatus::Error,
            Verdict::Skipped => {
                self.parsed.skipped += 1;
                return;
            }
        };
        case.error = case.error.map(|text| without_repetition(text.trim()));
        self.parsed.push(status, case);
    }

    fn finish(mut self, last_line: usize) -> anyhow::Result<Parsed> {
        if let Some(name) = self.open.last() {
            bail!("line {last_line}: the file ends inside <{}>", printable(name));
        }
        if self.cases == 0 {
            bail!("holds no <testcase>");
        }
        self.parsed.duration = self.duration.unwrap_or_else(|| self.parsed.sum_of_durations());
        Ok(self.parsed)
    }
}

/// Most tools repeat the message at the beginning of the text.
fn without_repetition(text: &str) -> String {
    match text.split_once('\n') {
        Some((message, rest)) if rest.trim_start().starts_with(message) => rest.trim_start().to_owned(),
        _ => text.to_owned(),
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> anyhow::Result<Option<String>> {
    let Some(attribute) = element.try_get_attribute(name)? else { return Ok(None) };
    Ok(Some(attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned()))
}

/// `time`, in seconds. Surefire writes `1,234.5` for long ones; what is no number is no duration.
fn time(element: &BytesStart<'_>) -> anyhow::Result<Option<Duration>> {
    let text = attribute(element, "time")?.unwrap_or_default();
    Ok(text.replace(',', "").trim().parse().ok().and_then(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_verdict_of_a_case_counts_and_its_words_are_kept() {
        let parsed = parse(
            r#"<testsuite name="s" time="1,000.5"><testcase name="a" classname="c" time="0.25">
                <failure message="one &amp; two">one &amp; two&#10;at line 3</failure><error message="worse"/><skipped/>
            </testcase><testcase name="b"/><testcase name="c"><skipped/></testcase></testsuite>"#,
        )
        .unwrap();
        assert_eq!((parsed.results.len(), parsed.skipped, parsed.duration.as_millis()), (2, 1, 1_000_500));
        let (a, b) = (&parsed.results[0], &parsed.results[1]);
        assert_eq!((a.status, a.scenario_id.as_str(), a.duration_ms), (ScenarioStatus::Error, "c::a", Some(250)));
        assert_eq!(a.error_message.as_deref(), Some("worse"));
        assert_eq!((b.status, b.scenario_id.as_str()), (ScenarioStatus::Passed, "s::b"));
    }

    #[test]
    fn a_failed_attempt_of_a_test_that_passed_in_the_end_is_no_failure() {
        let parsed = parse(
            r#"<testsuite><testcase name="a"><flakyFailure message="m"><stackTrace>s</stackTrace></flakyFailure></testcase></testsuite>"#,
        );
        assert_eq!(parsed.unwrap().results[0].status, ScenarioStatus::Passed);
    }

    #[test]
    fn a_broken_file_names_line_and_cause() {
        for (text, line, cause) in [
            ("<testsuite>\n<testcase name=\"a\">\n</testsuite>", "line 3", "testcase"),
            ("<testsuite>\n<testcase name=\"a\"/>\n", "line 2", "ends inside <testsuite>"),
            ("<testsuite>\n\n<testcase/></testsuite>", "line 3", "no name"),
            ("<html>\n</html>", "line 1", "no JUnit"),
            ("<testsuite>\n<testcase name='a'><failure>&boom;</failure></testcase></testsuite>", "line 2", "boom"),
            ("<testsuite/>", "", "no <testcase>"),
            ("<testsuite>\n<testcase name='a' time='1' time='2'/></testsuite>", "line 2", "duplicate"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(line) && error.contains(cause), "{error}");
        }
    }

    #[test]
    fn a_bomb_of_entities_and_endless_nesting_are_refused() {
        let bomb = r#"<!DOCTYPE t [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuite><testcase name="x"><failure>&b;</failure></testcase></testsuite>"#;
        assert!(parse(bomb).is_err());
        assert!(parse(&"<testsuite>".repeat(100_000)).is_err());
    }
}
