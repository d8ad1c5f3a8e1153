//! What was found out about latency.

use super::{Latency, OnStore, Round, commits::Commits};
use crate::{
    figures::{Spread, ms},
    ground::Store,
    plan::Plan,
    report::{Bar, Kind, Panel, Report, Row},
};

/// Percentiles, and the limit that a commit of that length gives each, in milliseconds.
type Limit = fn(f64) -> f64;
const PERCENTILES: [(&str, Limit); 2] = [("p50", |commit| commit + 2.0), ("p99", |commit| 4.0 * commit + 5.0)];

/// From where a webhook's way is measured, and both percentiles of it.
type Way = fn(Latency) -> [f64; 2];
const WAYS: [(&str, Way); 2] =
    [("after the 2xx", |latency| latency.from_accepted), ("after sending", |latency| latency.from_sent)];

/// Each store's commits, and its way from the 2xx and from the completion that was sent. The harder of both is drawn.
pub(crate) fn report(rounds: &[Round], plan: &Plan) -> Report {
    let (mut rows, mut bars) = (Vec::new(), Vec::new());
    for store in [Store::Sqlite, Store::Postgres] {
        let found: Vec<&OnStore> = rounds.iter().flat_map(|round| round.0.iter().filter(|on| on.store == store)).collect();
        let commits = |of: fn(Commits) -> f64| found.iter().map(move |on| of(on.commits)).collect::<Vec<f64>>();
        rows.push(Row::new(format!("one durable commit, {store}"), "ms", 2, commits(|commits| ms(commits.median))));
        rows.push(Row::new(format!("durable commits, one by one, {store}"), "/s", 0, commits(|commits| commits.per_second)));
        for (index, (percentile, limit)) in PERCENTILES.into_iter().enumerate() {
            let limit = Spread::of(commits(|commits| ms(commits.median))).map(|commit| limit(commit.median));
            for (from, way) in WAYS {
                let values = found.iter().map(|on| way(on.latency)[index]);
                let name = format!("**latency {percentile}**, {from}, {store}");
                rows.push(Row::new(name, "ms", 2, values).at_most_if_known(limit));
            }
            let spread = Spread::of(found.iter().map(|on| on.latency.from_sent[index]));
            bars.push(Bar { name: format!("{percentile}, {store}"), kind: Kind::Product, spread, goal: limit });
        }
    }
    let panels = vec![Panel { title: "Latency at 20 runs a second", unit: "ms", decimals: 2, bars }];
    let sizes = format!("{} rounds of {} runs, 20 a second.", rounds.len(), plan.sizes.paced);
    Report { rows, panels, sizes }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::plan::Size;

    #[test]
    fn the_limits_follow_from_what_a_commit_took() {
        let commits = Commits { median: Duration::from_millis(1), per_second: 1000.0 };
        let latency = Latency { from_accepted: [0.5, 9.5], from_sent: [2.0, 8.0] };
        let rounds = [Round(vec![OnStore { store: Store::Sqlite, commits, latency }])];
        let report = report(&rounds, &Plan::of_size(Size::Quick));
        let row = |name: &str| report.rows.iter().map(Row::to_string).find(|row| row.contains(name)).unwrap();
        let expected = "| **latency p50**, after the 2xx, SQLite | 0.50 ms | 0.50 to 0.50 | ≤ 3.00 ms | met |\n";
        assert_eq!(row("p50**, after the 2xx, SQLite"), expected);
        assert!(row("p99**, after the 2xx, SQLite").contains("≤ 9.00 ms | **not met**"));
        assert_eq!(row("p50**, after the 2xx, PostgreSQL").matches("not measured").count(), 1);
    }
}
