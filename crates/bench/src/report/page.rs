//! The measured part of the document: everything in it comes from one run on one machine.

use std::fmt::Write;

use super::{Report, row::HEAD};

/// What became of one part.
pub(crate) struct Finding {
    pub(crate) title: &'static str,
    pub(crate) report: Report,
    /// Why it was not measured, or not to its end.
    pub(crate) missing: Option<String>,
    /// Measurements that count, and those among them beside which something else was running.
    pub(crate) measured: usize,
    pub(crate) disturbed: usize,
}

/// What holds for all parts.
pub(crate) struct Heading {
    pub(crate) command: String,
    pub(crate) version: &'static str,
    pub(crate) machine: String,
    /// Where the plot is, from the page; nothing is said of one that is nowhere.
    pub(crate) plot: Option<String>,
}

/// The part of the page between its two comments.
pub(crate) fn page(heading: &Heading, findings: &[Finding]) -> String {
    let Heading { command, version, machine, plot } = heading;
    let mut text = String::new();
    if let Some(plot) = plot {
        let _ = writeln!(
            text,
            "![Webhooks a second, shares and latency as bars; the same figures stand in the tables]({plot})\n"
        );
    }
    let _ = writeln!(text, "`{command}`, version {version}. Machine: {machine}.\n");
    for finding in findings {
        let _ = writeln!(text, "### {}\n\n{}", finding.title, finding.render());
    }
    text
}

impl Finding {
    /// Its tables and what is to be known about them.
    pub(crate) fn render(&self) -> String {
        let mut text = HEAD.to_owned();
        for row in &self.report.rows {
            let _ = write!(text, "{row}");
        }
        let _ = writeln!(text, "\n{}", self.circumstances());
        text
    }

    fn circumstances(&self) -> String {
        if let Some(cause) = &self.missing {
            return if self.measured == 0 {
                format!("Not measured: {cause}.")
            } else {
                format!("**It ended early:** {cause}.")
            };
        }
        let quiet = match self.disturbed {
            0 => "Nothing else was running.".to_owned(),
            disturbed => format!("**During {disturbed} of {} measurements something else was running.**", self.measured),
        };
        format!("{} {quiet}", self.report.sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Row;

    fn finding(missing: Option<&str>, disturbed: usize) -> Finding {
        let rows = vec![Row::new("fast", "/s", 0, missing.is_none().then_some(7.0)).at_least(5.0)];
        let report = Report { rows, panels: Vec::new(), sizes: "3 rounds.".to_owned() };
        Finding {
            title: "Speed",
            report,
            missing: missing.map(str::to_owned),
            measured: if missing.is_none() { 4 } else { 0 },
            disturbed,
        }
    }

    fn shown(finding: Finding) -> String {
        let heading = Heading { command: "bench".to_owned(), version: "1.2.3", machine: "a machine".to_owned(), plot: None };
        page(&heading, &[finding])
    }

    #[test]
    fn a_part_that_was_measured_says_how_much_and_whether_it_was_quiet() {
        let text = shown(finding(None, 0));
        assert!(text.contains("| fast | 7 /s | 7 to 7 | ≥ 5 /s | met |"), "{text}");
        assert!(text.contains("3 rounds. Nothing else was running."), "{text}");
        assert!(shown(finding(None, 1)).contains("**During 1 of 4 measurements something else was running.**"));
    }

    #[test]
    fn a_part_that_ended_early_says_so_beside_what_was_found_before() {
        let text = shown(Finding { missing: Some("a webhook was lost".to_owned()), ..finding(None, 0) });
        assert!(text.contains("| fast | 7 /s |") && text.contains("**It ended early:** a webhook was lost."), "{text}");
        assert!(!text.contains("Nothing else was running"), "{text}");
    }

    #[test]
    fn a_part_that_was_not_measured_keeps_its_rows_and_says_why() {
        let text = shown(finding(Some("it was not asked for"), 0));
        assert!(text.contains("| fast | not measured | | ≥ 5 /s | |"), "{text}");
        assert!(text.contains("Not measured: it was not asked for."), "{text}");
        assert!(!text.contains("Nothing else was running"), "{text}");
    }
}
