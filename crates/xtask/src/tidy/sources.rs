//! Rules for single source files.

use super::File;

/// The longest file, in lines.
const LONGEST: usize = 400;

/// Names that say nothing about what is in a room.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "helpers", "common", "misc", "manager"];

/// Where SQL lives, and how it would ask for a time that it has to be given.
const CLOCKS_OF_SQL: [&str; 4] = ["current_timestamp", "now()", "datetime('now", "unixepoch("];

pub(super) fn check(files: &[File]) -> Vec<String> {
    let sources = files.iter().filter(|file| file.path.starts_with("crates/") && !file.path.contains("/tests/reports/"));
    sources.flat_map(check_one).collect()
}

fn check_one(file: &File) -> Vec<String> {
    let mut broken = Vec::new();
    let mut note = |what: String| broken.push(format!("{}: {what}", file.path));
    // A clock of Rust's, which SQL cannot ask.
    let lower = file.text.replace("Instant::now()", "").to_lowercase();
    if file.path.contains("/store-") && !file.path.contains("/tests/") {
        for clock in CLOCKS_OF_SQL.iter().filter(|clock| lower.contains(**clock)) {
            note(format!("{clock}: times come from the caller"));
        }
    }
    let Some(stem) = file.path.strip_suffix(".rs") else { return broken };
    let name = stem.rsplit('/').next().unwrap_or_default();
    if EMPTY_NAMES.contains(&name) || name == "mod" && !file.path.contains("/tests/") {
        note("a name that says nothing; name it after what it holds".to_owned());
    }
    let lines = file.text.lines().count();
    if lines > LONGEST {
        note(format!("{lines} lines, more than {LONGEST}: it is two rooms"));
    }
    if file.text.contains(concat!("#[", "ignore")) {
        note("an ignored test proves nothing".to_owned());
    }
    if file.path.contains("/tests/") && file.text.contains(concat!("slee", "p(")) {
        note("tests wait for signals, never for time".to_owned());
    }
    if matches!(name, "lib" | "main") && !file.text.starts_with("//!") {
        note("a crate begins with what it is".to_owned());
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(path: &str, text: &str) -> usize {
        check(&[File { path: path.to_owned(), text: text.to_owned() }]).len()
    }

    #[test]
    fn each_rule_finds_its_own_breach_and_nothing_else() {
        assert_eq!(verdicts("crates/core/src/run.rs", "//! Runs."), 0);
        assert_eq!(verdicts("crates/core/src/utils.rs", ""), 1);
        assert_eq!(verdicts("crates/core/src/run.rs", &"\n".repeat(LONGEST + 1)), 1);
        assert_eq!(verdicts("crates/core/src/run.rs", concat!("#[", "ignore]")), 1);
        assert_eq!(verdicts("crates/core/tests/run.rs", concat!("slee", "p(1)")), 1);
        assert_eq!(verdicts("crates/core/src/lib.rs", "pub mod run;"), 1);
        assert_eq!(verdicts("crates/store-sqlite/migrations/0001.sql", "DEFAULT CURRENT_TIMESTAMP"), 1);
        assert_eq!(verdicts("crates/store-postgres/src/row.rs", "\"SELECT now()\""), 1);
        assert_eq!(verdicts("crates/store-postgres/src/listener.rs", "Instant::now()"), 0);
    }
}
