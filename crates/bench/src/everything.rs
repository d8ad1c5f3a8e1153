//! All parts in one go: what each found out, printed as soon as it is known, and written down together in the end.

use std::path::{Path, PathBuf};

use anyhow::Context;
use preclinical_testkit::document::Document;

use crate::{
    hanging, history, idle, latency,
    machine::Machine,
    pending,
    plan::{Part, Plan},
    quiet::Session,
    report::{Finding, Heading, Panel, Report, page, svg},
    speed,
    terminal::{say, say_aside},
};

/// The part of the document that is measured.
const MEASURED: &str = "measured";

/// The plot, from the folder of the page.
const PLOT: &str = "images/benchmarks.svg";

const NOT_ASKED_FOR: &str = "it was not asked for";

/// A page to write the figures into, with a plot beside it.
pub(crate) struct Page<'a> {
    document: Document<'a>,
    plot: PathBuf,
}

impl<'a> Page<'a> {
    /// Reads it; refuses one that has no place for the figures.
    pub(crate) fn at(path: &'a Path) -> anyhow::Result<Self> {
        let folder = path.parent().context("a page is in a folder")?;
        Ok(Self { document: Document::read(path, MEASURED)?, plot: folder.join(PLOT) })
    }

    fn write(&self, heading: &Heading, findings: &[Finding]) -> anyhow::Result<()> {
        std::fs::create_dir_all(self.plot.parent().context("a plot is in a folder")?)?;
        std::fs::write(&self.plot, svg(&panels(findings)))?;
        Ok(self.document.write(&page(heading, findings))?)
    }
}

/// Measures these parts. What cannot be measured is said instead of its figures, and is an error after all others were measured.
pub(crate) async fn measure(
    plan: &Plan,
    parts: &[Part],
    patience: std::time::Duration,
    command: String,
    page: Option<Page<'_>>,
) -> anyhow::Result<()> {
    let mut session = Session::new(patience);
    let (mut findings, mut failed) = (Vec::new(), 0);
    for part in Part::ALL {
        let (report, outcome, wanted) = if parts.contains(&part) {
            let (report, outcome) = find(part, plan, &mut session).await;
            (report, outcome.map_err(|error| format!("{error:#}")), true)
        } else {
            (blank(part, plan), Err(NOT_ASKED_FOR.to_owned()), false)
        };
        let (measured, disturbed) = session.take_counts();
        let finding = Finding { title: part.title(), report, missing: outcome.err(), measured, disturbed };
        if wanted {
            say(format_args!("### {}\n\n{}", finding.title, finding.render()));
            failed += u32::from(finding.missing.is_some());
        }
        findings.push(finding);
    }
    let heading = Heading {
        command,
        version: env!("CARGO_PKG_VERSION"),
        machine: Machine::this(&plan.scratch).to_string(),
        plot: page.is_some().then(|| PLOT.to_owned()),
    };
    say(format_args!("Machine: {}.", heading.machine));
    if let Some(page) = page {
        page.write(&heading, &findings)?;
        say_aside(format_args!("written, with {}", page.plot.display()));
    }
    anyhow::ensure!(failed == 0, "{failed} of {} parts could not be measured", parts.len());
    Ok(())
}

/// Measures a part. What was found out before an error counts.
async fn find(part: Part, plan: &Plan, session: &mut Session) -> (Report, anyhow::Result<()>) {
    match part {
        Part::Speed => {
            let mut rounds = Vec::new();
            let outcome = speed::measure(plan, session, &mut rounds).await;
            (speed::report(&rounds, plan), outcome)
        }
        Part::Latency => {
            let mut rounds = Vec::new();
            let outcome = latency::measure(plan, session, &mut rounds).await;
            (latency::report(&rounds, plan), outcome)
        }
        Part::Idle => {
            let mut rounds = Vec::new();
            let outcome = idle::measure(plan, session, &mut rounds).await;
            (idle::report(&rounds, plan), outcome)
        }
        Part::Hanging => {
            let mut rounds = Vec::new();
            let outcome = hanging::measure(plan, session, &mut rounds).await;
            (hanging::report(&rounds, plan), outcome)
        }
        Part::Pending => {
            let mut rounds = Vec::new();
            let outcome = pending::measure(plan, session, &mut rounds).await;
            (pending::report(&rounds, plan), outcome)
        }
        Part::History => {
            let mut found = history::Found::default();
            let outcome = history::measure(plan, session, &mut found).await;
            (history::report(&found, plan), outcome)
        }
    }
}

/// A part of which nothing was measured.
fn blank(part: Part, plan: &Plan) -> Report {
    match part {
        Part::Speed => speed::report(&[], plan),
        Part::Latency => latency::report(&[], plan),
        Part::Idle => idle::report(&[], plan),
        Part::Hanging => hanging::report(&[], plan),
        Part::Pending => pending::report(&[], plan),
        Part::History => history::report(&history::Found::default(), plan),
    }
}

fn panels(findings: &[Finding]) -> Vec<&Panel> {
    findings.iter().flat_map(|finding| &finding.report.panels).collect()
}
