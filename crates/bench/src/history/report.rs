//! The figures of a long history as a table in Markdown.

use std::path::Path;

use super::{
    asking::{Answers, GOAL_MS, TIMES},
    filling::Filled,
};
use crate::{figures::Spread, machine::Machine, table::verdict};

/// The table, and what it was measured on.
pub(super) fn render(filled: &Filled, answers: &Answers, was_quiet: bool, scratch: &Path) -> String {
    let Filled { deliveries, bytes } = filled;
    let quiet = if was_quiet { "Nothing else was running." } else { "**Something else was running.**" };
    format!(
        "{}\n{deliveries} deliveries of as many runs; a file of {} MiB, {} bytes a delivery with its run, event, attempt and \
         messages. Each asked {TIMES} times over one connection; version {}. {quiet}\n\nMachine: {}.",
        table(answers),
        bytes >> 20,
        bytes / u64::from(*deliveries),
        env!("CARGO_PKG_VERSION"),
        Machine::this(scratch),
    )
}

fn table(answers: &Answers) -> String {
    let head = format!("| what | median | slowest | goal ≤ {GOAL_MS} ms |\n| --- | ---: | ---: | --- |\n");
    let rows = answers.0.iter().map(|(what, Spread { median, max, .. })| {
        format!("| {what} | {median:.1} ms | {max:.1} ms | {} |\n", verdict(*median <= GOAL_MS))
    });
    head + &rows.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_takes_longer_than_its_goal_is_called_missed() {
        let took = |median| Spread { median, min: 1.0, max: 70.0 };
        let table = table(&Answers(vec![("fast".into(), took(50.0)), ("slow".into(), took(50.1))]));
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(rows, ["| fast | 50.0 ms | 70.0 ms | met |", "| slow | 50.1 ms | 70.0 ms | **not met** |"]);
    }
}
