//! What was found out about a long history.

use super::{
    Found, Round,
    asking::{GOAL_MS, TIMES},
};
use crate::{
    plan::Plan,
    report::{Report, Row},
};

/// Completions beside a long history, as a share of those beside an empty one: at least, in per cent.
const INSERT_GOAL: f64 = 90.0;

/// Completions first, then each question.
pub(crate) fn report(found: &Found, plan: &Plan) -> Report {
    let over = |of: fn(&Round) -> f64| found.rounds.iter().map(of);
    let mut rows = vec![
        Row::new("end to end beside an empty history", "/s", 0, over(|round| round.beside_empty.per_second)),
        Row::new("end to end beside the long one", "/s", 0, over(|round| round.beside_long.per_second)),
        Row::new("**end to end, long / empty history**", "%", 1, over(Round::share)).at_least(INSERT_GOAL),
    ];
    if found.answers.0.is_empty() {
        rows.push(Row::new("lists of the history, each", "ms", 1, []).at_most(GOAL_MS));
    }
    let answers = found.answers.0.iter();
    rows.extend(answers.map(|(what, took)| Row::new(what.clone(), "ms", 1, took.iter().copied()).at_most(GOAL_MS)));
    Report { rows, panels: Vec::new(), sizes: sizes(found, plan) }
}

impl Round {
    fn share(&self) -> f64 {
        100.0 * self.beside_long.per_second / self.beside_empty.per_second
    }
}

fn sizes(found: &Found, plan: &Plan) -> String {
    let deliveries = plan.sizes.history;
    let file = found.bytes.map_or_else(String::new, |bytes| {
        let each = bytes / u64::from(deliveries);
        format!("; a file of {} MiB, {each} bytes a delivery with its run, event, attempt and messages", bytes >> 20)
    });
    format!(
        "SQLite. {deliveries} deliveries of as many runs{file}. Each list was asked for {TIMES} times over one connection, and its \
         rows are those times, not rounds; {} rounds of {} completions.",
        found.rounds.len(),
        plan.sizes.deliveries
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{history::asking::Answers, plan::Size, speed::Throughput};

    fn rows(found: &Found) -> Vec<String> {
        report(found, &Plan::of_size(Size::Quick)).rows.iter().map(Row::to_string).collect()
    }

    #[test]
    fn a_list_that_takes_longer_than_its_goal_is_called_missed() {
        let answers = Answers(vec![("fast".into(), vec![50.0]), ("slow".into(), vec![50.1])]);
        let rows = rows(&Found { answers, ..Found::default() });
        assert!(rows[3].contains("| met |") && rows[4].contains("**not met**"), "{rows:?}");
    }

    #[test]
    fn completions_may_be_a_tenth_slower_and_no_more() {
        let at = |per_second| Throughput { per_second, processor_us: None };
        let round = |per_second| Round { beside_empty: at(1000.0), beside_long: at(per_second) };
        let of = |rate| rows(&Found { rounds: vec![round(rate)], ..Found::default() })[2].clone();
        assert!(of(900.0).contains("90.0 % | 90.0 to 90.0 | ≥ 90.0 % | met"), "{}", of(900.0));
        assert!(of(899.0).contains("**not met**"));
    }

    #[test]
    fn lists_that_were_not_asked_for_were_not_measured() {
        let rows = rows(&Found::default());
        assert!(rows.iter().all(|row| row.contains("not measured")), "{rows:?}");
    }
}
