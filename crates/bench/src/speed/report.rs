//! What was found out about speed.

use super::{OnStore, Round, Throughput};
use crate::{
    figures::Spread,
    ground::Store,
    plan::Plan,
    report::{Bar, Kind, Panel, Report, Row},
};

/// End to end on the embedded store, as a share of the bare relay: at least, in per cent.
const END_TO_END_GOAL: f64 = 50.0;

/// The drain, as a share of the bare loop: at least, in per cent.
const DRAIN_GOAL: f64 = 60.0;

/// The common self-hosted sender.
const COMMON_SENDER: &str = "svix";

/// End to end on the embedded store, by how many times the common sender: at least.
const COMMON_SENDER_GOAL: f64 = 15.0;

const STORES: [Store; 2] = [Store::Sqlite, Store::Postgres];

/// How a figure is found in a round that has it.
type Of<'a> = Box<dyn Fn(&Round) -> Option<f64> + 'a>;

/// One figure.
struct Figure<'a> {
    name: String,
    kind: Kind,
    goal: Option<f64>,
    of: Of<'a>,
}

/// Rates, then the shares, each taken within a round.
pub(crate) fn report(rounds: &[Round], plan: &Plan) -> Report {
    let (rates, shares) = (rates(plan), shares(plan));
    let over = |figure: &Figure<'_>| rounds.iter().filter_map(|round| (figure.of)(round)).collect::<Vec<f64>>();
    let mut rows: Vec<Row> = rates.iter().map(|figure| Row::new(figure.name.clone(), "/s", 0, over(figure))).collect();
    let ratio = |figure: &Figure<'_>, unit| {
        let goal = figure.goal;
        let name = if goal.is_some() { format!("**{}**", figure.name) } else { figure.name.clone() };
        let row = Row::new(name, unit, 1, over(figure));
        goal.map_or(row.clone(), |goal| row.at_least(goal))
    };
    rows.extend(shares.iter().map(|figure| ratio(figure, "%")));
    rows.extend(beside_the_common_sender().iter().map(|figure| ratio(figure, "×")));
    rows.extend(spent(rounds));
    let bars = |figures: &[Figure<'_>]| figures.iter().map(|figure| figure.bar(over(figure))).collect();
    let panels = vec![
        Panel { title: "Webhooks a second", unit: "/s", decimals: 0, bars: bars(&rates) },
        Panel { title: "Share of the same work without a store", unit: "%", decimals: 1, bars: bars(&shares) },
    ];
    Report { rows, panels, sizes: sizes(rounds.len(), plan) }
}

fn rates(plan: &Plan) -> Vec<Figure<'_>> {
    let other = |name: &str, of: fn(&Round) -> f64| Figure::new(name, Kind::Other, move |round| Some(of(round)));
    let mut figures = vec![
        other("bare loop", |round| round.bare_loop.per_second),
        other("bare relay", |round| round.bare_relay.per_second),
    ];
    for store in STORES {
        let rate = move |round: &Round| Some(on(round, store)?.end_to_end.per_second);
        figures.push(Figure::new(format!("end to end, {store}"), Kind::Product, rate));
    }
    for store in STORES {
        let rate = move |round: &Round| Some(on(round, store)?.drain.per_second);
        figures.push(Figure::new(format!("backlog drain, {store}"), Kind::Product, rate));
    }
    figures.extend(plan.senders.iter().map(|sender| {
        let name = sender.name();
        Figure::new(format!("end to end, sender `{name}`"), Kind::Other, move |round| of_sender(round, name))
    }));
    figures
}

fn shares(plan: &Plan) -> Vec<Figure<'_>> {
    let percent = |part: f64, whole: Throughput| 100.0 * part / whole.per_second;
    let mut figures = Vec::new();
    for store in STORES {
        let share = move |round: &Round| Some(percent(on(round, store)?.end_to_end.per_second, round.bare_relay));
        let figure = Figure::new(format!("end to end, {store} / bare relay"), Kind::Product, share);
        figures.push(figure.with_goal((store == Store::Sqlite).then_some(END_TO_END_GOAL)));
    }
    for store in STORES {
        let share = move |round: &Round| Some(percent(on(round, store)?.drain.per_second, round.bare_loop));
        let figure = Figure::new(format!("backlog drain, {store} / bare loop"), Kind::Product, share);
        figures.push(figure.with_goal(Some(DRAIN_GOAL)));
    }
    figures.extend(plan.senders.iter().map(|sender| {
        let name = sender.name();
        let share = move |round: &Round| Some(percent(of_sender(round, name)?, round.bare_relay));
        Figure::new(format!("end to end, sender `{name}` / bare relay"), Kind::Other, share)
    }));
    figures
}

/// By how many times the common sender, whether or not it could be measured.
fn beside_the_common_sender() -> [Figure<'static>; 2] {
    STORES.map(|store| {
        let times = move |round: &Round| Some(on(round, store)?.end_to_end.per_second / of_sender(round, COMMON_SENDER)?);
        let figure = Figure::new(format!("end to end, {store} / sender `{COMMON_SENDER}`"), Kind::Product, times);
        figure.with_goal((store == Store::Sqlite).then_some(COMMON_SENDER_GOAL))
    })
}

/// What the process in the middle spent; nothing where the system does not tell.
fn spent(rounds: &[Round]) -> Vec<Row> {
    let row = |name: String, of: &dyn Fn(&Round) -> Option<f64>| {
        Row::new(format!("processor time per webhook: {name}"), "µs", 0, rounds.iter().filter_map(of))
    };
    let mut rows = vec![row("bare relay".to_owned(), &|round| round.bare_relay.processor_us)];
    for store in STORES {
        rows.push(row(format!("end to end, {store}"), &|round| on(round, store)?.end_to_end.processor_us));
        rows.push(row(format!("backlog drain, {store}"), &|round| on(round, store)?.drain.processor_us));
    }
    rows
}

fn sizes(rounds: usize, plan: &Plan) -> String {
    let (sizes, connections) = (plan.sizes, plan.connections);
    format!(
        "{rounds} rounds of {} webhooks over {connections} connections; a backlog of {}.",
        sizes.deliveries, sizes.backlog
    )
}

fn on(round: &Round, store: Store) -> Option<&OnStore> {
    round.stores.iter().find(|on| on.store == store)
}

fn of_sender(round: &Round, name: &str) -> Option<f64> {
    round.senders.iter().find(|(found, _)| *found == name).map(|(_, throughput)| throughput.per_second)
}

impl<'a> Figure<'a> {
    fn new(name: impl Into<String>, kind: Kind, of: impl Fn(&Round) -> Option<f64> + 'a) -> Self {
        Self { name: name.into(), kind, goal: None, of: Box::new(of) }
    }

    fn with_goal(self, goal: Option<f64>) -> Self {
        Self { goal, ..self }
    }

    fn bar(&self, rounds: Vec<f64>) -> Bar {
        Bar { name: self.name.replace('`', ""), kind: self.kind, spread: Spread::of(rounds), goal: self.goal }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Size;

    fn at(per_second: f64) -> Throughput {
        Throughput { per_second, processor_us: None }
    }

    fn round(relay: f64, stores: &[(Store, f64)]) -> Round {
        let on = |&(store, rate): &(Store, f64)| OnStore { store, end_to_end: at(rate), drain: at(5_000.0) };
        Round {
            bare_loop: at(10_000.0),
            bare_relay: at(relay),
            stores: stores.iter().map(on).collect(),
            senders: vec![("naive", at(7.0))],
        }
    }

    fn row(rounds: &[Round], name: &str) -> String {
        let report = report(rounds, &Plan::of_size(Size::Quick));
        report.rows.iter().map(Row::to_string).find(|row| row.contains(name)).unwrap()
    }

    #[test]
    fn a_ratio_is_taken_within_a_round() {
        let rounds =
            [(1000.0, 900.0), (100.0, 10.0), (10.0, 6.0)].map(|(relay, rate)| round(relay, &[(Store::Sqlite, rate)]));
        let expected = "| **end to end, SQLite / bare relay** | 60.0 % | 10.0 to 90.0 | ≥ 50.0 % | met |\n";
        assert_eq!(row(&rounds, "SQLite / bare relay"), expected);
    }

    #[test]
    fn a_goal_that_is_missed_is_called_missed() {
        let rounds = [round(1000.0, &[(Store::Sqlite, 400.0)])];
        for name in ["SQLite / bare relay", "SQLite / bare loop"] {
            assert!(row(&rounds, name).contains("**not met**"), "{name}");
        }
    }

    #[test]
    fn the_common_sender_is_one_that_there_is_a_driver_for_and_has_a_goal_of_its_own() {
        assert!(crate::senders::named(COMMON_SENDER).is_ok());
        let name = "end to end, SQLite / sender `svix`";
        let mut rounds = [round(1000.0, &[(Store::Sqlite, 900.0)]), round(1000.0, &[(Store::Sqlite, 450.0)])];
        assert_eq!(row(&rounds, name), "| **end to end, SQLite / sender `svix`** | not measured | | ≥ 15.0 × | |\n");
        for round in &mut rounds {
            round.senders.push((COMMON_SENDER, at(30.0)));
        }
        let expected = "| **end to end, SQLite / sender `svix`** | 22.5 × | 15.0 to 30.0 | ≥ 15.0 × | met |\n";
        assert_eq!(row(&rounds, name), expected);
        assert!(row(&rounds[1..], "PostgreSQL / sender `svix`").contains("not measured"));
    }

    #[test]
    fn a_store_or_a_sender_that_was_left_out_was_not_measured() {
        let mut left_out = round(1000.0, &[(Store::Sqlite, 400.0)]);
        left_out.senders.clear();
        let rounds = [left_out];
        for name in ["end to end, PostgreSQL |", "drain, PostgreSQL / bare loop", "end to end, sender `naive` |"] {
            assert!(row(&rounds, name).contains("| not measured |"), "{name}");
        }
        assert!(row(&rounds, "end to end, SQLite |").contains("400 /s"));
    }

    #[test]
    fn without_a_round_nothing_was_measured() {
        let report = report(&[], &Plan::of_size(Size::Quick));
        assert!(report.rows.iter().all(|row| row.to_string().contains("not measured")));
        assert!(report.panels.iter().flat_map(|panel| &panel.bars).all(|bar| bar.spread.is_none()));
    }
}
