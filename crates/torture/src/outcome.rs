//! What came of a proof, and all of them as a table.

use std::{fmt::Write, path::PathBuf};

use crate::{checker::Findings, site::Store};

/// What came of one proof.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was broken, in a few words.
    pub proof: &'static str,
    /// What the product stood on.
    pub store: Store,
    /// What was done, with its sizes; why nothing was, if nothing could be.
    pub did: String,
    /// What the comparison of the books found; `None` if nothing was done.
    pub findings: Option<Findings>,
    /// What else was counted.
    pub counted: String,
    /// What must not be; empty if the guarantee holds.
    pub broken: Vec<String>,
    /// Where the database and the logs are, if they speak against the guarantee.
    pub files: Option<PathBuf>,
}

impl Outcome {
    /// What came of a comparison of the books.
    pub fn of(proof: &'static str, store: Store, did: String, findings: Findings) -> Self {
        let broken = findings.broken.clone();
        Self { proof, store, did, findings: Some(findings), counted: String::new(), broken, files: None }
    }

    /// Nothing could be done here.
    pub fn skipped(proof: &'static str, store: Store, why: &str) -> Self {
        Self { proof, store, did: why.to_owned(), findings: None, counted: String::new(), broken: Vec::new(), files: None }
    }

    /// Adds something else that was counted.
    #[must_use]
    pub fn counting(mut self, what: String) -> Self {
        self.counted = what;
        self
    }

    /// Adds what must not be, if it is so.
    #[must_use]
    pub fn requiring(mut self, holds: bool, what: impl FnOnce() -> String) -> Self {
        if !holds {
            self.broken.push(what());
        }
        self
    }

    /// Demands that nothing was sent twice.
    #[must_use]
    pub fn without_duplicates(self) -> Self {
        let duplicates = self.findings.as_ref().map_or(0, |findings| findings.duplicates);
        self.requiring(duplicates == 0, || format!("duplicated: {duplicates} requests, where nothing was cut off"))
    }

    /// Whether nothing speaks against the guarantee.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.broken.is_empty()
    }
}

/// All outcomes as a table in Markdown.
#[must_use]
pub fn table(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| broken | store | what was done | accepted | lost | requests | cut off | duplicates | also counted | |\n\
         | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- | --- |\n",
    );
    for outcome in outcomes {
        let Outcome { proof, store, did, findings, counted, broken, files: _ } = outcome;
        let figures = findings.as_ref().map_or_else(|| " | | | |".to_owned(), figures);
        let verdict = match (findings, broken.len()) {
            (_, 1..) => format!("**{} things wrong**", broken.len()),
            (None, 0) => "left out".to_owned(),
            (Some(_), 0) => "holds".to_owned(),
        };
        let _ = writeln!(text, "| {proof} | {} | {did} | {figures} | {counted} | {verdict} |", store.as_str());
    }
    text
}

fn figures(findings: &Findings) -> String {
    let Findings { accepted, requests, uncertain, duplicates, broken } = findings;
    let lost = broken.iter().filter(|line| line.starts_with("lost")).count();
    format!("{accepted} | {lost} | {requests} | {uncertain} | {duplicates}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_that_found_something_or_was_left_out_is_not_called_a_success() {
        let findings = Findings { accepted: 2, broken: vec!["lost: r1".to_owned()], ..Findings::default() };
        let lost = Outcome::of("killed", Store::Sqlite, "1 kill".to_owned(), findings);
        let skipped = Outcome::skipped("full disk", Store::Sqlite, "needs root");
        let twice = Findings { duplicates: 1, ..Findings::default() };
        let twice = Outcome::of("asked to end", Store::Postgres, "1 end".to_owned(), twice).without_duplicates();
        assert!(!lost.holds() && !twice.holds());
        let table = table(&[lost, skipped, twice]);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(rows[0], "| killed | sqlite | 1 kill | 2 | 1 | 0 | 0 | 0 |  | **1 things wrong** |");
        assert_eq!(rows[1], "| full disk | sqlite | needs root |  | | | | |  | left out |");
        assert!(rows[2].ends_with("| **1 things wrong** |"));
    }
}
