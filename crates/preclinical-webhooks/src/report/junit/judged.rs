//! Which of the cases in a file count: tools write some of them more than once.

use std::collections::HashMap;

use preclinical_core::scenario::ScenarioStatus;

use super::super::parsed::{Case, Parsed};

/// A verdict of JUnit XML; a later one here outranks those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub(super) enum Verdict {
    #[default]
    Passed,
    Skipped,
    Failed,
    Error,
}

/// The cases of a file in its order.
#[derive(Default)]
pub(super) struct Judged {
    /// How many there were, also those that do not count.
    pub(super) cases: usize,
    /// Whether pytest wrote the file.
    pub(super) is_pytest: bool,
    /// Those that count; none where a later attempt has taken the place of an earlier one.
    counting: Vec<Option<(ScenarioStatus, Case)>>,
    /// Where in them a test of pytest, of that class and name, seems to have passed.
    passed_in_pytest: HashMap<(String, String), usize>,
    skipped: u64,
}

impl Judged {
    /// Adds the next case.
    pub(super) fn add(&mut self, verdict: Verdict, case: Case) {
        self.cases += 1;
        if self.is_pytest {
            self.forget_earlier_attempt(&case, verdict == Verdict::Passed);
        }
        let status = match verdict {
            Verdict::Passed => ScenarioStatus::Passed,
            Verdict::Failed => ScenarioStatus::Failed,
            Verdict::Error => ScenarioStatus::Error,
            Verdict::Skipped => {
                self.skipped += 1;
                return;
            }
        };
        if !self.is_second_of_jest(&case) {
            self.counting.push(Some((status, case)));
        }
    }

    /// Hands over what counts.
    pub(super) fn put_into(self, parsed: &mut Parsed) {
        parsed.skipped += self.skipped;
        self.counting.into_iter().flatten().for_each(|(status, case)| parsed.push(status, case));
    }

    /// pytest-rerunfailures writes every failed attempt but the last like a test that passed. In pytest class and name
    /// are of one test only; with other tools the same may be true of many, and each of them counts.
    fn forget_earlier_attempt(&mut self, case: &Case, passed: bool) {
        let test = (case.group.clone(), case.name.clone());
        if let Some(earlier) = self.passed_in_pytest.remove(&test) {
            self.counting[earlier] = None;
        }
        if passed {
            self.passed_in_pytest.insert(test, self.counting.len());
        }
    }

    /// jest-junit writes a file that cannot be loaded twice: as an error, and as a failure that says less.
    fn is_second_of_jest(&self, case: &Case) -> bool {
        let last = self.counting.last().and_then(Option::as_ref);
        case.group == "Test suite failed to run"
            && last.is_some_and(|(_, last)| last.group == case.group && last.name == case.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(group: &str, name: &str) -> Case {
        Case { group: group.into(), name: name.into(), ..Case::default() }
    }

    /// How many passed, and how many did not.
    fn counts(is_pytest: bool, verdicts: &[Verdict]) -> (usize, usize) {
        let mut judged = Judged { is_pytest, ..Judged::default() };
        for verdict in verdicts {
            judged.add(*verdict, case("c", "a"));
        }
        let mut parsed = Parsed::default();
        judged.put_into(&mut parsed);
        let good = parsed.results.iter().filter(|result| result.status == ScenarioStatus::Passed).count();
        (good, parsed.results.len() - good)
    }

    #[test]
    fn of_several_attempts_in_pytest_the_last_counts_and_elsewhere_each_counts() {
        use Verdict::{Error, Failed, Passed, Skipped};
        assert_eq!(counts(true, &[Passed, Passed, Failed]), (0, 1));
        assert_eq!(counts(true, &[Passed, Passed]), (1, 0));
        assert_eq!(counts(true, &[Passed, Skipped]), (0, 0));
        assert_eq!(counts(true, &[Failed, Error]), (0, 2), "the test, and what came after it");
        assert_eq!(counts(false, &[Passed, Passed, Failed]), (2, 1));
    }

    #[test]
    fn a_file_that_jest_could_not_load_is_one_error() {
        let mut judged = Judged::default();
        for (verdict, name) in [(Verdict::Error, "a.js"), (Verdict::Failed, "a.js"), (Verdict::Error, "b.js")] {
            judged.add(verdict, case("Test suite failed to run", name));
        }
        let mut parsed = Parsed::default();
        judged.put_into(&mut parsed);
        let verdicts: Vec<_> = parsed.results.iter().map(|result| result.status).collect();
        assert_eq!(verdicts, [ScenarioStatus::Error; 2]);
    }
}
