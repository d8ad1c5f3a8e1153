//! JUnit XML. There is no standard: what pytest, cargo-nextest, Surefire, jest-junit and Playwright write has the same
//! elements in different places, so elements are taken wherever they are and unknown ones are passed over.

mod judged;

use std::time::Duration;

use anyhow::{anyhow, bail};
use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

use super::{
    line_at,
    parsed::{Case, Parsed, explained, seconds},
};
use crate::terminal::printable;
use judged::{Judged, Verdict};

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
    /// The elements around what is being read, and the suites among them.
    open: Vec<String>,
    suites: Vec<Suite>,
    case: Option<OpenCase>,
    judged: Judged,
    /// What the root says it took; what the suites in it say together.
    duration: Option<Duration>,
    duration_of_suites: Option<Duration>,
    has_root: bool,
}

struct Suite {
    name: String,
    /// How many errors and failures it says it has.
    bad: u64,
    /// Cases before it.
    cases_before: usize,
}

#[derive(Default)]
struct OpenCase {
    case: Case,
    verdict: Verdict,
    /// What was said about the verdict, one text for each of its elements.
    words: Vec<String>,
    reading: Option<Reading>,
}

/// An element of a verdict that is being read.
struct Reading {
    /// Elements in it lie deeper than this.
    depth: usize,
    kind: String,
    message: String,
    text: String,
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
        if self.open.is_empty() {
            if !matches!(name, "testsuites" | "testsuite") {
                bail!("the root is <{name}>, not <testsuites> or <testsuite>: this is no JUnit XML");
            }
            if std::mem::replace(&mut self.has_root, true) {
                bail!("a second root: these are several files in one");
            }
        }
        match name {
            "testsuites" | "testsuite" => self.start_suite(element)?,
            "testcase" => self.start_case(element)?,
            "failure" => self.start_verdict(Verdict::Failed, element)?,
            "error" => self.start_verdict(Verdict::Error, element)?,
            "skipped" => self.start_verdict(Verdict::Skipped, element)?,
            _ => {}
        }
        Ok(())
    }

    fn start_suite(&mut self, element: &BytesStart<'_>) -> anyhow::Result<()> {
        let name = attribute(element, "name")?.unwrap_or_default();
        let time = time(element)?;
        match self.suites.as_slice() {
            [] => {
                self.duration = time;
                self.parsed = Parsed::named(Some(name.clone()));
            }
            [_] => {
                self.duration_of_suites = self.duration_of_suites.into_iter().chain(time).reduce(Duration::saturating_add);
            }
            _ => {}
        }
        self.judged.is_pytest |= matches!(name.as_str(), "pytest tests" | "pytest");
        let bad = count(element, "errors")?.saturating_add(count(element, "failures")?);
        self.suites.push(Suite { name, bad, cases_before: self.judged.cases });
        Ok(())
    }

    fn start_case(&mut self, element: &BytesStart<'_>) -> anyhow::Result<()> {
        if self.case.is_some() {
            bail!("a <testcase> lies in another");
        }
        let class = attribute(element, "classname")?.filter(|class| !class.trim().is_empty());
        let group = class.or_else(|| self.suites.last().map(|suite| suite.name.clone())).unwrap_or_default();
        let Some(name) = attribute(element, "name")? else { bail!("a <testcase> has no name") };
        let case = Case { group, name, duration: time(element)?, ..Case::default() };
        let was_run = !matches!(attribute(element, "status")?.as_deref(), Some("notrun" | "disabled"));
        let verdict = if was_run { Verdict::Passed } else { Verdict::Skipped };
        self.case = Some(OpenCase { case, verdict, ..OpenCase::default() });
        Ok(())
    }

    /// The worst verdict of a case counts. What lies in a suite and in no case is about a suite that could not run.
    fn start_verdict(&mut self, verdict: Verdict, element: &BytesStart<'_>) -> anyhow::Result<()> {
        let parent = self.open.last().map(String::as_str);
        if parent == Some("testsuite") && self.case.is_none() && verdict != Verdict::Skipped {
            let name = self.suites.last().map(|suite| suite.name.clone()).unwrap_or_default();
            self.case = Some(OpenCase { case: Case { name, ..Case::default() }, ..OpenCase::default() });
        } else if parent != Some("testcase") {
            return Ok(());
        }
        let Some(open) = self.case.as_mut().filter(|open| verdict >= open.verdict) else { return Ok(()) };
        if verdict > open.verdict {
            open.words.clear();
        }
        open.verdict = verdict;
        open.reading = Some(Reading {
            depth: self.open.len(),
            kind: attribute(element, "type")?.unwrap_or_default(),
            message: attribute(element, "message")?.unwrap_or_default(),
            text: String::new(),
        });
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(OpenCase { reading: Some(reading), .. }) = &mut self.case {
            reading.text.push_str(text);
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "testsuites" | "testsuite" => self.finish_suite(),
            "testcase" => self.finish_case(),
            _ => self.finish_verdict(),
        }
    }

    fn finish_verdict(&mut self) {
        let depth = self.open.len();
        let Some(open) = &mut self.case else { return };
        let Some(reading) = open.reading.take_if(|reading| reading.depth == depth) else { return };
        let words = explained(&reading.message, &reading.text);
        open.words.push(if words.is_empty() { reading.kind } else { words });
        if self.open.last().is_some_and(|parent| parent == "testsuite") {
            self.finish_case();
        }
    }

    fn finish_case(&mut self) {
        let Some(OpenCase { mut case, verdict, words, .. }) = self.case.take() else { return };
        case.error = Some(words.join("\n\n"));
        self.judged.add(verdict, case);
    }

    /// A suite that says something went wrong and shows nothing of it must not look as if all went well.
    fn finish_suite(&mut self) {
        let Some(Suite { name, bad, cases_before }) = self.suites.pop() else { return };
        if bad > 0 && self.judged.cases == cases_before {
            let error = Some(format!("the suite reports {bad} errors or failures and holds no test case"));
            self.judged.add(Verdict::Error, Case { name, error, ..Case::default() });
        }
    }

    fn finish(mut self, last_line: usize) -> anyhow::Result<Parsed> {
        if let Some(name) = self.open.last() {
            bail!("line {last_line}: the file ends inside <{}>", printable(name));
        }
        if !self.has_root {
            bail!("line {last_line}: the file ends before its root");
        }
        self.judged.put_into(&mut self.parsed);
        let stated = self.duration.or(self.duration_of_suites);
        self.parsed.duration = stated.unwrap_or_else(|| self.parsed.sum_of_durations());
        Ok(self.parsed)
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> anyhow::Result<Option<String>> {
    let Some(attribute) = element.try_get_attribute(name)? else { return Ok(None) };
    Ok(Some(attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned()))
}

/// A count; what is no number is none.
fn count(element: &BytesStart<'_>, name: &str) -> anyhow::Result<u64> {
    Ok(attribute(element, name)?.and_then(|text| text.trim().parse().ok()).unwrap_or(0))
}

/// `time`, in seconds. Surefire writes `1,234.5` for long ones; what is no number is no duration.
fn time(element: &BytesStart<'_>) -> anyhow::Result<Option<Duration>> {
    let text = attribute(element, "time")?.unwrap_or_default();
    Ok(text.replace(',', "").trim().parse().ok().and_then(seconds))
}

#[cfg(test)]
mod tests {
    use preclinical_core::scenario::ScenarioStatus;

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
    fn a_case_with_several_failures_keeps_all_of_their_words() {
        let parsed = parse(
            r#"<testsuite><testcase name="a"><failure>one</failure><failure message="two">two, too</failure><failure type="timeout"/>
               </testcase></testsuite>"#,
        );
        assert_eq!(parsed.unwrap().results[0].error_message.as_deref(), Some("one\n\ntwo, too\n\ntimeout"));
    }

    #[test]
    fn a_suite_that_could_not_run_is_an_error_of_its_own() {
        let parsed = parse(
            r#"<testsuites><testsuite name="s" errors="1"><testcase name="a"/><error message="no database">at x</error></testsuite>
               <testsuite name="t"><testsuite name="u" tests="0" errors="1" failures="1"/></testsuite>
               <testsuite name="v" errors="0" tests="0"/></testsuites>"#,
        );
        let parsed = parsed.unwrap();
        let of = |index: usize| (parsed.results[index].scenario_id.as_str(), parsed.results[index].status.as_str());
        assert_eq!([of(0), of(1), of(2)], [("s::a", "passed"), ("s", "error"), ("u", "error")]);
        assert_eq!(parsed.results.len(), 3);
        assert_eq!(parsed.results[1].error_message.as_deref(), Some("no database\nat x"));
        assert!(parsed.results[2].error_message.as_ref().unwrap().contains("2 errors or failures"));
    }

    #[test]
    fn a_test_that_says_it_was_not_run_is_skipped() {
        let parsed =
            parse(r#"<testsuite><testcase name="a" status="notrun"/><testcase name="b" status="run"/></testsuite>"#);
        let parsed = parsed.unwrap();
        assert_eq!((parsed.results.len(), parsed.skipped), (1, 1));
    }

    #[test]
    fn it_took_what_the_root_says_or_else_what_its_suites_say_or_else_its_cases() {
        let case = r#"<testcase name="a" time="3"/>"#;
        for (root, suite, seconds) in [(r#"time="1""#, r#"time="2""#, 1), ("", r#"time="2""#, 4), ("", "", 6)] {
            let suite = format!("<testsuite {suite}>{case}</testsuite>");
            let parsed = parse(&format!("<testsuites {root}>{suite}{suite}</testsuites>")).unwrap();
            assert_eq!(parsed.duration.as_secs(), seconds);
        }
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
            ("<?xml version='1.0'?>\n", "line 1", "before its root"),
            ("<testsuite/>\n<testsuite/>", "line 2", "second root"),
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
