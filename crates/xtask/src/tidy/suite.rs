//! Every rule of the stores' conformance suite is stamped out as a test: one that is not listed would never run.

use anyhow::Context;

use super::File;

const SUITE: &str = "crates/testkit/src/conformance.rs";
const RULES: &str = "crates/testkit/src/conformance/";

pub(super) fn check(files: &[File]) -> anyhow::Result<Vec<String>> {
    let suite = files.iter().find(|file| file.path == SUITE).with_context(|| format!("{SUITE} is missing"))?;
    let listed: Vec<&str> = suite.text.lines().map(str::trim).collect();
    let rules = files.iter().filter(|file| file.path.starts_with(RULES));
    Ok(rules
        .flat_map(|file| rules_of(&file.text).map(|rule| (file.path.as_str(), rule)))
        .filter(|(_, rule)| !listed.contains(rule))
        .map(|(path, rule)| format!("{path}: {rule} is not in the list in {SUITE}"))
        .collect())
}

fn rules_of(text: &str) -> impl Iterator<Item = &str> {
    let functions = text.lines().filter_map(|line| line.strip_prefix("pub async fn "));
    functions.filter_map(|rest| rest.split('(').next())
}
