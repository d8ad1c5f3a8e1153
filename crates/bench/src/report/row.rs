//! One figure over all rounds, with the goal that it has.

use std::fmt;

use crate::figures::Spread;

/// The head of a table of rows.
pub(super) const HEAD: &str =
    "| measured | median | lowest to highest round | goal | |\n| --- | ---: | ---: | ---: | --- |\n";

/// What a median is to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Goal {
    AtLeast(f64),
    AtMost(f64),
    None,
}

/// A row of a table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    name: String,
    unit: &'static str,
    decimals: usize,
    spread: Option<Spread>,
    goal: Goal,
}

impl Row {
    /// A figure of each round that has it. Without one it was not measured.
    pub(crate) fn new(
        name: impl Into<String>,
        unit: &'static str,
        decimals: usize,
        rounds: impl IntoIterator<Item = f64>,
    ) -> Self {
        Self { name: name.into(), unit, decimals, spread: Spread::of(rounds), goal: Goal::None }
    }

    /// The same with a goal: no less than that.
    pub(crate) fn at_least(self, goal: f64) -> Self {
        Self { goal: Goal::AtLeast(goal), ..self }
    }

    /// The same with a goal: no more than that.
    pub(crate) fn at_most(self, goal: f64) -> Self {
        Self { goal: Goal::AtMost(goal), ..self }
    }

    /// The same with a goal that follows from what was measured beside it; with none if that was not.
    pub(crate) fn at_most_if_known(self, goal: Option<f64>) -> Self {
        Self { goal: goal.map_or(Goal::None, Goal::AtMost), ..self }
    }

    fn with_unit(&self, value: f64) -> String {
        let Self { unit, decimals, .. } = self;
        let space = if unit.is_empty() { "" } else { " " };
        format!("{value:.decimals$}{space}{unit}")
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, decimals, spread, goal, .. } = self;
        let shown = match goal {
            Goal::AtLeast(goal) => format!("≥ {}", self.with_unit(*goal)),
            Goal::AtMost(goal) => format!("≤ {}", self.with_unit(*goal)),
            Goal::None => String::new(),
        };
        let Some(Spread { median, min, max }) = spread else {
            return writeln!(f, "| {name} | not measured | | {shown} | |");
        };
        let verdict = match goal {
            Goal::AtLeast(goal) => verdict(median >= goal),
            Goal::AtMost(goal) => verdict(median <= goal),
            Goal::None => "",
        };
        let median = self.with_unit(*median);
        writeln!(f, "| {name} | {median} | {min:.decimals$} to {max:.decimals$} | {shown} | {verdict} |")
    }
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "**not met**" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_the_median_and_both_ends() {
        let row = Row::new("fast", "/s", 0, [3.0, 1.0, 2.0]);
        assert_eq!(row.to_string(), "| fast | 2 /s | 1 to 3 |  |  |\n");
    }

    #[test]
    fn a_goal_is_met_at_its_very_limit_and_missed_beyond_it() {
        let least = |value| Row::new("share", "%", 1, [value]).at_least(50.0).to_string();
        assert_eq!(least(50.0), "| share | 50.0 % | 50.0 to 50.0 | ≥ 50.0 % | met |\n");
        assert!(least(49.9).contains("**not met**"));
        let most = |value| Row::new("time", "ms", 1, [value]).at_most(50.0).to_string();
        assert_eq!(most(50.0), "| time | 50.0 ms | 50.0 to 50.0 | ≤ 50.0 ms | met |\n");
        assert!(most(50.1).contains("**not met**"));
    }

    #[test]
    fn what_was_not_measured_says_so_and_has_no_verdict() {
        let row = Row::new("share", "%", 0, []).at_least(50.0).to_string();
        assert_eq!(row, "| share | not measured | | ≥ 50 % | |\n");
        let row = Row::new("time", "ms", 0, []).at_most_if_known(None).to_string();
        assert_eq!(row, "| time | not measured | |  | |\n");
    }
}
