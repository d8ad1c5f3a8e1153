//! The figures of all rounds as a table in Markdown.

use crate::{
    figures::{Spread, ms},
    measure::{Round, Throughput},
};

/// End to end, as a share of the bare relay: at least.
const END_TO_END_GOAL: f64 = 50.0;

/// The drain, as a share of the bare loop: at least.
const DRAIN_GOAL: f64 = 60.0;

/// What a figure is to reach.
enum Goal {
    AtLeast(f64),
    /// In every round a limit of its own, which follows from what a commit took in it.
    AtMost(Spread),
    None,
}

struct Line {
    name: &'static str,
    unit: &'static str,
    decimals: usize,
    spread: Spread,
    goal: Goal,
}

/// The table; medians over all rounds, and the lowest and highest round. A ratio is taken within a round.
pub(crate) fn render(rounds: &[Round]) -> String {
    let mut text =
        String::from("| measured | median | lowest to highest round | goal | |\n| --- | ---: | ---: | ---: | --- |\n");
    for line in lines(rounds) {
        text.push_str(&line.render());
    }
    text
}

fn lines(rounds: &[Round]) -> Vec<Line> {
    let over = |figure: fn(&Round) -> f64| Spread::of(rounds.iter().map(figure));
    let plain = |name, unit, decimals, spread| Line { name, unit, decimals, spread, goal: Goal::None };
    let limited = |name, spread, limit| Line { name, unit: "ms", decimals: 2, spread, goal: Goal::AtMost(limit) };
    let share = |name, spread, goal| Line { name, unit: "%", decimals: 1, spread, goal: Goal::AtLeast(goal) };
    let p50_limit = over(|round| ms(round.commits.median) + 2.0);
    let p99_limit = over(|round| 4.0 * ms(round.commits.median) + 5.0);
    let mut lines = vec![
        plain("bare loop", "/s", 0, over(|round| round.bare_loop.per_second)),
        plain("bare relay", "/s", 0, over(|round| round.bare_relay.per_second)),
        plain("end to end", "/s", 0, over(|round| round.end_to_end.per_second)),
        plain("backlog drain", "/s", 0, over(|round| round.drain.per_second)),
        share("**end to end / bare relay**", over(|round| percent(round.end_to_end, round.bare_relay)), END_TO_END_GOAL),
        share("**backlog drain / bare loop**", over(|round| percent(round.drain, round.bare_loop)), DRAIN_GOAL),
        plain("one durable commit", "ms", 2, over(|round| ms(round.commits.median))),
        plain("durable commits, one by one", "/s", 0, over(|round| round.commits.per_second)),
        limited("**latency p50**, after the 2xx", over(|round| round.latency.from_accepted[0]), p50_limit),
        limited("**latency p99**, after the 2xx", over(|round| round.latency.from_accepted[1]), p99_limit),
        limited("latency p50, after sending", over(|round| round.latency.from_sent[0]), p50_limit),
        limited("latency p99, after sending", over(|round| round.latency.from_sent[1]), p99_limit),
    ];
    lines.extend(spent("processor time per webhook: bare relay", rounds, |round| round.bare_relay));
    lines.extend(spent("processor time per webhook: end to end", rounds, |round| round.end_to_end));
    lines.extend(spent("processor time per webhook: drain", rounds, |round| round.drain));
    lines
}

/// Nothing where the system does not tell.
fn spent(name: &'static str, rounds: &[Round], of: fn(&Round) -> Throughput) -> Option<Line> {
    let known: Vec<f64> = rounds.iter().filter_map(|round| of(round).processor_us).collect();
    let spread = Spread::of(known.iter().copied());
    (!known.is_empty()).then_some(Line { name, unit: "µs", decimals: 0, spread, goal: Goal::None })
}

fn percent(part: Throughput, whole: Throughput) -> f64 {
    100.0 * part.per_second / whole.per_second
}

impl Line {
    fn render(&self) -> String {
        let Self { name, unit, decimals, spread: Spread { median, min, max }, goal } = self;
        let (goal, verdict) = match goal {
            Goal::AtLeast(goal) => (format!("≥ {goal:.0} {unit}"), verdict(median >= goal)),
            Goal::AtMost(limit) => (format!("≤ {:.decimals$} {unit}", limit.median), verdict(*median <= limit.median)),
            Goal::None => (String::new(), ""),
        };
        format!("| {name} | {median:.decimals$} {unit} | {min:.decimals$} to {max:.decimals$} | {goal} | {verdict} |\n")
    }
}

/// Whether a goal was met, in words.
pub(crate) fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "**not met**" }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{disk::Commits, measure::Latency};

    fn round(relay: f64, end_to_end: f64) -> Round {
        let at = |per_second| Throughput { per_second, processor_us: None };
        Round {
            commits: Commits { median: Duration::from_millis(1), per_second: 1000.0 },
            bare_loop: at(10_000.0),
            bare_relay: at(relay),
            end_to_end: at(end_to_end),
            drain: at(5_000.0),
            latency: Latency { from_accepted: [0.5, 9.5], from_sent: [2.0, 8.0] },
        }
    }

    fn row(table: &str, name: &str) -> String {
        table.lines().find(|line| line.contains(name)).unwrap().to_owned()
    }

    #[test]
    fn a_ratio_is_taken_within_a_round() {
        let table = render(&[round(1000.0, 900.0), round(100.0, 10.0), round(10.0, 6.0)]);
        assert_eq!(row(&table, "/ bare relay"), "| **end to end / bare relay** | 60.0 % | 10.0 to 90.0 | ≥ 50 % | met |");
    }

    #[test]
    fn a_goal_that_is_missed_is_called_missed() {
        let table = render(&[round(1000.0, 400.0)]);
        for name in ["/ bare relay", "/ bare loop", "p99**"] {
            assert!(row(&table, name).contains("**not met**"), "{name}");
        }
        assert_eq!(row(&table, "p50**"), "| **latency p50**, after the 2xx | 0.50 ms | 0.50 to 0.50 | ≤ 3.00 ms | met |");
    }
}
