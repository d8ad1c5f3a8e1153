//! What was found out about the healthy endpoint.

use super::{OTHERS_A_SECOND, REQUEST_TIMEOUT, Round};
use crate::{
    latency::Latency,
    plan::Plan,
    report::{Report, Row},
};

/// How many times its latency alone the healthy one's may be.
const GOAL: f64 = 2.0;

type Situation = fn(&Round) -> Latency;

const SITUATIONS: [(&str, Situation); 3] = [
    ("alone", |round| round.alone),
    ("beside others that answer", |round| round.beside_answering),
    ("beside others that hang", |round| round.beside_hanging),
];

/// Its latency in each situation, and how many times that alone it is.
pub(crate) fn report(rounds: &[Round], plan: &Plan) -> Report {
    let mut rows = Vec::new();
    for (index, percentile) in ["p50", "p99"].into_iter().enumerate() {
        rows.extend(SITUATIONS.map(|(name, latency)| {
            let values = rounds.iter().map(|round| latency(round).from_sent[index]);
            Row::new(format!("latency {percentile}, after sending, {name}"), "ms", 2, values)
        }));
    }
    let answering = rounds.iter().map(|round| round.ratio(round.beside_answering));
    let hanging = rounds.iter().map(|round| round.ratio(round.beside_hanging));
    #[expect(clippy::cast_precision_loss, reason = "places are a few thousand")]
    let open = rounds.iter().map(|round| round.most_open as f64);
    rows.extend([
        Row::new("p99 beside others that answer / alone", "×", 2, answering),
        Row::new("**p99 beside others that hang / alone**", "×", 2, hanging).at_most(GOAL),
        Row::new("attempts at the others open at once, at most", "", 0, open),
        Row::new("resident memory after that", "MiB", 1, rounds.iter().filter_map(|round| round.resident_mib)),
    ]);
    let sizes = format!(
        "SQLite. {} rounds; {} endpoints beside the healthy one, {OTHERS_A_SECOND} of their runs a second; {} runs of the healthy one \
         in each situation, 20 a second; attempts given up after {REQUEST_TIMEOUT}.",
        rounds.len(),
        plan.sizes.endpoints,
        plan.sizes.of_healthy
    );
    Report { rows, panels: Vec::new(), sizes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Size;

    #[test]
    fn what_hanging_costs_is_judged_against_the_same_round_alone() {
        let at = |p99| Latency { from_accepted: [0.0; 2], from_sent: [1.0, p99] };
        let round = |alone, hanging| Round {
            alone: at(alone),
            beside_answering: at(alone),
            beside_hanging: at(hanging),
            most_open: 9,
            resident_mib: None,
        };
        let row = |rounds: &[Round], name: &str| {
            let report = report(rounds, &Plan::of_size(Size::Quick));
            report.rows.iter().map(Row::to_string).find(|row| row.contains(name)).unwrap()
        };
        let rounds = [round(1.0, 2.0), round(10.0, 15.0), round(1.0, 9.0)];
        let expected = "| **p99 beside others that hang / alone** | 2.00 × | 1.50 to 9.00 | ≤ 2.00 × | met |\n";
        assert_eq!(row(&rounds, "that hang / alone"), expected);
        assert!(row(&[round(1.0, 2.1)], "that hang / alone").contains("**not met**"));
        assert!(row(&rounds, "resident memory").contains("not measured"));
    }
}
