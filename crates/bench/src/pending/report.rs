//! What was found out about retries that wait.

use super::{Round, Side};
use crate::{
    plan::Plan,
    report::{Report, Row},
};

/// How many times its time beside an empty queue a claim may take.
const CLAIM_GOAL: f64 = 2.0;

const RESIDENT_GOAL_MIB: f64 = 150.0;

type Of = fn(&Round) -> &Side;

const BOTH: [(&str, Of); 2] =
    [("beside an empty queue", |round| &round.alone), ("beside those that wait", |round| &round.beside_waiting)];

/// Both sides, and what follows from them.
pub(crate) fn report(rounds: &[Round], plan: &Plan) -> Report {
    let mut rows = Vec::new();
    let over = |side: Of, of: fn(&Side) -> Option<f64>| rounds.iter().filter_map(move |round| of(side(round)));
    for (name, side) in BOTH {
        let rate = over(side, |side| Some(side.claimed_per_second));
        rows.push(Row::new(format!("due deliveries claimed and sent, {name}"), "/s", 0, rate));
    }
    let ratio = rounds.iter().map(|round| round.alone.claimed_per_second / round.beside_waiting.claimed_per_second);
    rows.push(Row::new("**time of each, beside those that wait / an empty queue**", "×", 2, ratio).at_most(CLAIM_GOAL));
    for (index, percentile) in ["p50", "p99"].into_iter().enumerate() {
        for (name, side) in BOTH {
            let latency = rounds.iter().map(|round| side(round).latency.from_sent[index]);
            rows.push(Row::new(format!("latency {percentile}, after sending, {name}"), "ms", 2, latency));
        }
    }
    for (name, side) in BOTH {
        rows.push(Row::new(format!("start to ready, {name}"), "ms", 0, over(side, |side| Some(side.ready_ms))));
    }
    for (name, side) in BOTH {
        let resident = over(side, |side| side.most_resident_mib);
        rows.push(Row::new(format!("**resident memory at most**, {name}"), "MiB", 1, resident).at_most(RESIDENT_GOAL_MIB));
    }
    let sizes = format!(
        "SQLite. {} rounds; {} retries that wait, and on both sides {} due deliveries and {} runs at 20 a second.",
        rounds.len(),
        plan.sizes.pending,
        plan.sizes.claims,
        plan.sizes.paced
    );
    Report { rows, panels: Vec::new(), sizes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{latency::Latency, plan::Size};

    fn side(claimed_per_second: f64, most_resident_mib: Option<f64>) -> Side {
        let latency = Latency { from_accepted: [0.0; 2], from_sent: [1.0, 2.0] };
        Side { claimed_per_second, latency, ready_ms: 10.0, most_resident_mib }
    }

    fn row(waiting: Side, name: &str) -> String {
        let rounds = [Round { alone: side(1000.0, Some(20.0)), beside_waiting: waiting }];
        let report = report(&rounds, &Plan::of_size(Size::Quick));
        report.rows.iter().map(Row::to_string).find(|row| row.contains(name)).unwrap()
    }

    #[test]
    fn a_claim_may_take_twice_as_long_and_no_longer() {
        let of = |rate| row(side(rate, None), "time of each");
        assert!(of(500.0).contains("| 2.00 × | 2.00 to 2.00 | ≤ 2.00 × | met |"), "{}", of(500.0));
        assert!(of(490.0).contains("**not met**"));
    }

    #[test]
    fn memory_is_judged_where_the_system_tells_of_it() {
        let of = |mib| row(side(1.0, mib), "at most**, beside those that wait");
        assert!(of(Some(150.1)).contains("**not met**"));
        assert!(of(None).contains("not measured"));
    }
}
