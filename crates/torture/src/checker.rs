//! Compares what was asked for, what arrived and what the history says, id by id.

use std::collections::{BTreeMap, BTreeSet};

use crate::{history::Delivery, producer, sink};

/// What the comparison found. Everything but the counts is to be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Runs that were accepted.
    pub accepted: usize,
    /// Requests that arrived.
    pub requests: usize,
    /// Attempts that were cut off, so that the product does not know whether they were taken.
    pub uncertain: usize,
    /// Requests that repeat one that was answered with success.
    pub duplicates: usize,
    /// What must not be, one line each.
    pub broken: Vec<String>,
}

/// Compares the three books after everything has settled.
pub fn check(asked: &producer::Book, arrived: &sink::Book, history: &[Delivery]) -> Findings {
    let mut broken = Vec::new();
    let mut by_delivery: BTreeMap<&str, Vec<&sink::Arrival>> = BTreeMap::new();
    for arrival in &arrived.arrivals {
        by_delivery.entry(&arrival.delivery).or_default().push(arrival);
    }
    broken.extend(asked.wrong.iter().map(|answer| format!("wrong answer: {answer}")));
    broken.extend(arrived.forged.iter().map(|wrong| format!("forged: {wrong}")));
    broken.extend(runs(asked, arrived, history));
    let known: BTreeMap<&str, &Delivery> = history.iter().map(|delivery| (delivery.id.as_str(), delivery)).collect();
    let mut duplicates = 0;
    for (id, arrivals) in &by_delivery {
        if arrivals.iter().any(|arrival| arrival.content != arrivals[0].content || arrival.run != arrivals[0].run) {
            broken.push(format!("mutated: {id} arrived with different contents"));
        }
        let extra = succeeded(arrivals).saturating_sub(1);
        duplicates += extra;
        match known.get(id) {
            None => broken.push(format!("unlogged: {id} arrived, and the history does not know it")),
            Some(delivery) => broken.extend(attempts(delivery, arrivals, extra)),
        }
    }
    for delivery in history.iter().filter(|delivery| !by_delivery.contains_key(delivery.id.as_str())) {
        broken.extend(attempts(delivery, &[], 0));
    }
    let arrivals = |delivery: &Delivery| by_delivery.get(delivery.id.as_str()).map_or(&[][..], Vec::as_slice);
    let uncertain = history.iter().map(|delivery| uncertain(delivery, arrivals(delivery))).sum();
    Findings { accepted: asked.accepted.len(), requests: arrived.arrivals.len(), uncertain, duplicates, broken }
}

/// Every accepted run arrived, every run that arrived was asked for, and is told of by one delivery.
fn runs(asked: &producer::Book, arrived: &sink::Book, history: &[Delivery]) -> Vec<String> {
    let taken: BTreeSet<&str> = arrived.arrivals.iter().filter(|it| is_success(it)).map(|it| it.run.as_str()).collect();
    let came: BTreeSet<&str> = arrived.arrivals.iter().map(|arrival| arrival.run.as_str()).collect();
    let lost = asked.accepted.iter().filter(|run| !taken.contains(run.as_str()));
    let unexpected = came.iter().filter(|run| !asked.asked.contains(**run));
    let mut told = BTreeSet::new();
    let twice = history.iter().filter(|delivery| !told.insert(delivery.run.as_str()));
    let lost = lost.map(|run| format!("lost: {run} was accepted and never taken by the receiver"));
    let unexpected = unexpected.map(|run| format!("unexpected: {run} arrived, and nobody ended it"));
    let twice = twice.map(|delivery| format!("two deliveries tell of {}", delivery.run));
    lost.chain(unexpected).chain(twice).collect()
}

/// One delivery: everything that arrived has its attempt, everything that the history says was so.
fn attempts(delivery: &Delivery, arrivals: &[&sink::Arrival], extra: usize) -> Vec<String> {
    let Delivery { id, status, attempts, .. } = delivery;
    let mut broken = Vec::new();
    if status != "delivered" {
        broken.push(format!("unfinished: {id} is {status}"));
    }
    if arrivals.len() > attempts.len() {
        broken.push(format!("unlogged: {id} arrived {} times, with {} attempts", arrivals.len(), attempts.len()));
    }
    for answer in attempts.iter().flatten().collect::<BTreeSet<_>>() {
        let said = attempts.iter().filter(|it| **it == Some(*answer)).count();
        let gave = arrivals.iter().filter(|arrival| arrival.answer == Some(*answer)).count();
        if said > gave {
            broken.push(format!("ghost: {id} was answered {answer} {said} times, but for {gave}"));
        }
    }
    let explained = uncertain(delivery, arrivals);
    if extra > explained {
        broken.push(format!("duplicated: {id} was taken {} times, and its history explains {}", extra + 1, explained + 1));
    }
    broken
}

/// Attempts of which the history does not know whether they were taken, less those that we know were not answered.
fn uncertain(delivery: &Delivery, arrivals: &[&sink::Arrival]) -> usize {
    let unknown = delivery.attempts.iter().filter(|answer| answer.is_none()).count();
    unknown.saturating_sub(arrivals.iter().filter(|arrival| arrival.answer.is_none()).count())
}

fn succeeded(arrivals: &[&sink::Arrival]) -> usize {
    arrivals.iter().filter(|arrival| is_success(arrival)).count()
}

fn is_success(arrival: &sink::Arrival) -> bool {
    arrival.answer.is_some_and(|status| (200..300).contains(&status))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three runs that went well: the second after a refusal, the third twice, because the first attempt was cut off.
    fn books() -> (producer::Book, sink::Book, Vec<Delivery>) {
        let runs: BTreeSet<String> = ["r1", "r2", "r3"].map(str::to_owned).into();
        let asked = producer::Book { asked: runs.clone(), accepted: runs, ..producer::Book::default() };
        let arrivals = vec![
            arrival(1, Some(200)),
            arrival(2, Some(503)),
            arrival(3, Some(200)),
            arrival(2, Some(200)),
            arrival(3, Some(200)),
        ];
        let history = vec![delivery(1, &[Some(200)]), delivery(2, &[Some(503), Some(200)]), delivery(3, &[None, Some(200)])];
        (asked, sink::Book { arrivals, forged: Vec::new() }, history)
    }

    fn arrival(number: u8, answer: Option<u16>) -> sink::Arrival {
        sink::Arrival { delivery: format!("d{number}"), run: format!("r{number}"), content: [number; 32], answer }
    }

    fn delivery(number: u8, attempts: &[Option<u16>]) -> Delivery {
        Delivery {
            id: format!("d{number}"),
            run: format!("r{number}"),
            status: "delivered".to_owned(),
            attempts: attempts.to_vec(),
        }
    }

    /// What is found after something was done to books that were right.
    fn after(spoil: impl FnOnce(&mut producer::Book, &mut sink::Book, &mut Vec<Delivery>)) -> Vec<String> {
        let (mut asked, mut arrived, mut history) = books();
        spoil(&mut asked, &mut arrived, &mut history);
        check(&asked, &arrived, &history).broken.iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn books_that_agree_are_right_and_an_explained_duplicate_is_counted() {
        let (asked, arrived, history) = books();
        let expected = Findings { accepted: 3, requests: 5, uncertain: 1, duplicates: 1, broken: Vec::new() };
        assert_eq!(check(&asked, &arrived, &history), expected);
    }

    #[test]
    fn what_was_accepted_and_never_arrived_is_lost() {
        // Without its delivery, too, as if the commit had not been kept.
        let lost = after(|_, arrived, history| {
            arrived.arrivals.remove(0);
            history.remove(0);
        });
        assert_eq!(lost, ["lost:"]);
    }

    #[test]
    fn what_only_failed_is_lost_and_unfinished() {
        let lost = after(|_, arrived, history| {
            arrived.arrivals.remove(3);
            history[1] = Delivery { status: "exhausted".to_owned(), ..delivery(2, &[Some(503)]) };
        });
        assert_eq!(lost, ["lost:", "unfinished:"]);
    }

    #[test]
    fn what_nobody_asked_for_is_unexpected() {
        assert_eq!(after(|asked, _, _| assert!(asked.asked.remove("r1"))), ["unexpected:"]);
    }

    #[test]
    fn a_repetition_that_no_cut_off_attempt_explains_is_a_duplicate() {
        let duplicated = after(|_, arrived, history| {
            arrived.arrivals.push(arrival(1, Some(200)));
            history[0] = delivery(1, &[Some(200), Some(200)]);
        });
        assert_eq!(duplicated, ["duplicated:"]);
    }

    #[test]
    fn an_attempt_that_the_receiver_did_not_answer_explains_no_duplicate() {
        let duplicated = after(|_, arrived, history| {
            arrived.arrivals.extend([arrival(1, None), arrival(1, Some(200))]);
            history[0] = delivery(1, &[None, Some(200), Some(200)]);
        });
        assert_eq!(duplicated, ["duplicated:"]);
    }

    #[test]
    fn a_request_without_an_attempt_is_unlogged() {
        assert_eq!(after(|_, arrived, _| arrived.arrivals.push(arrival(2, Some(503)))), ["unlogged:"]);
        assert_eq!(after(|_, _, history| drop(history.remove(1))), ["unlogged:"]);
    }

    #[test]
    fn an_attempt_that_the_receiver_never_answered_so_is_a_ghost() {
        assert_eq!(after(|_, arrived, _| arrived.arrivals[1].answer = None), ["ghost:"]);
        assert_eq!(after(|_, arrived, _| arrived.arrivals[0].answer = None), ["lost:", "ghost:"]);
    }

    #[test]
    fn a_content_that_changes_between_attempts_is_mutated() {
        assert_eq!(after(|_, arrived, _| arrived.arrivals[3].content = [9; 32]), ["mutated:"]);
    }

    #[test]
    fn a_second_delivery_about_a_run_is_found() {
        let found = after(|_, arrived, history| {
            arrived.arrivals.push(sink::Arrival { delivery: "d4".to_owned(), ..arrival(1, Some(200)) });
            history.push(Delivery { id: "d4".to_owned(), ..delivery(1, &[Some(200)]) });
        });
        assert_eq!(found, ["two"]);
    }

    #[test]
    fn forged_requests_and_wrong_answers_are_found() {
        assert_eq!(after(|_, arrived, _| arrived.forged.push("x".to_owned())), ["forged:"]);
        assert_eq!(after(|asked, _, _| asked.wrong.push("x".to_owned())), ["wrong"]);
    }
}
