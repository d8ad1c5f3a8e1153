//! Compares what a restored copy knew with what was acknowledged before it, and with what was sent from it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{checker::Findings, history::Delivery, sink::Arrival};

/// What there is to compare.
#[derive(Debug, Clone, Copy)]
pub struct Restoration<'a> {
    /// Runs that were acknowledged as final before the backup began.
    pub acknowledged: &'a BTreeSet<String>,
    /// What the copy knew.
    pub copy: &'a [Delivery],
    /// What arrived before it took the database's place.
    pub before: &'a [Arrival],
    /// What arrived since.
    pub since: &'a [Arrival],
    /// Runs that were ended on the copy.
    pub again: &'a BTreeSet<String>,
    /// What the copy knows after everything has settled.
    pub history: &'a [Delivery],
}

impl<'a> Restoration<'a> {
    /// What the copy did not know as ended.
    pub fn pending(&self) -> impl Iterator<Item = &'a Delivery> + use<'a> {
        self.copy.iter().filter(|delivery| delivery.status == "pending")
    }

    /// What must not be. Counted are those acknowledged before the backup, all requests, and as duplicates those of the copy that were
    /// taken before it took the database's place and again since; each of them was pending in it.
    pub fn check(&self) -> Findings {
        let mut broken = Vec::new();
        let known: BTreeMap<&str, &Delivery> = self.copy.iter().map(|delivery| (delivery.id.as_str(), delivery)).collect();
        let runs: BTreeSet<&str> = self.copy.iter().map(|delivery| delivery.run.as_str()).collect();
        let lost = self.acknowledged.iter().filter(|run| !runs.contains(run.as_str()));
        broken.extend(lost.map(|run| format!("lost: {run} was acknowledged before the backup, and is not in it")));
        let mut sent = BTreeMap::<&str, usize>::new();
        for arrival in self.since {
            match known.get(arrival.delivery.as_str()) {
                Some(delivery) if delivery.status != "pending" => {
                    broken.push(format!("repeated: {} is {} in the copy, and was sent again", delivery.id, delivery.status));
                }
                None if !self.again.contains(&arrival.run) => {
                    broken.push(format!("unexpected: {} arrived, and nobody ended it", arrival.run));
                }
                _ => *sent.entry(&arrival.delivery).or_default() += usize::from(is_success(arrival)),
            }
        }
        let taken = |delivery: &str| sent.get(delivery).copied().unwrap_or_default();
        let unsent = self.pending().filter(|delivery| taken(&delivery.id) == 0);
        broken.extend(unsent.map(|delivery| format!("unsent: {} is pending in the copy", delivery.id)));
        let twice = sent.iter().filter(|(_, times)| **times > 1);
        broken.extend(twice.map(|(delivery, times)| format!("duplicated: {delivery} was taken {times} times since")));
        broken.extend(self.afterwards());
        let earlier: BTreeSet<&str> =
            self.before.iter().filter(|arrival| is_success(arrival)).map(|arrival| arrival.delivery.as_str()).collect();
        let duplicates = sent.iter().filter(|(delivery, times)| **times > 0 && earlier.contains(**delivery)).count();
        let requests = self.before.len() + self.since.len();
        Findings { accepted: self.acknowledged.len(), requests, uncertain: 0, duplicates, broken }
    }

    /// What had ended stays as it was, and everything ends.
    fn afterwards(&self) -> Vec<String> {
        let history: BTreeMap<&str, &Delivery> =
            self.history.iter().map(|delivery| (delivery.id.as_str(), delivery)).collect();
        let ended = self.copy.iter().filter(|delivery| delivery.status != "pending");
        let changed = ended.filter(|delivery| history.get(delivery.id.as_str()) != Some(delivery));
        let changed = changed.map(|delivery| format!("changed: {} is not as the copy knew it", delivery.id));
        let open = self.history.iter().filter(|delivery| delivery.status != "delivered");
        changed.chain(open.map(|delivery| format!("unfinished: {} is {}", delivery.id, delivery.status))).collect()
    }
}

fn is_success(arrival: &Arrival) -> bool {
    arrival.answer.is_some_and(|status| (200..300).contains(&status))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three runs that ended. The copy knows the first as delivered and the second as pending, which arrived before it was lost; the
    /// third ended after it, and again on it.
    struct Books {
        acknowledged: BTreeSet<String>,
        copy: Vec<Delivery>,
        since: Vec<Arrival>,
        history: Vec<Delivery>,
    }

    fn arrival(delivery: &str, run: &str) -> Arrival {
        Arrival { delivery: delivery.to_owned(), run: run.to_owned(), content: [0; 32], answer: Some(200) }
    }

    fn delivery(id: &str, run: &str, status: &str, attempts: &[Option<u16>]) -> Delivery {
        Delivery { id: id.to_owned(), run: run.to_owned(), status: status.to_owned(), attempts: attempts.to_vec() }
    }

    fn books() -> Books {
        let first = delivery("d1", "r1", "delivered", &[Some(200)]);
        Books {
            acknowledged: ["r1", "r2"].map(str::to_owned).into(),
            copy: vec![first.clone(), delivery("d2", "r2", "pending", &[None])],
            since: vec![arrival("d2", "r2"), arrival("d4", "r3")],
            history: vec![
                first,
                delivery("d2", "r2", "delivered", &[None, Some(200)]),
                delivery("d4", "r3", "delivered", &[Some(200)]),
            ],
        }
    }

    fn check(books: &Books) -> Findings {
        let before = [arrival("d1", "r1"), arrival("d2", "r2"), arrival("d3", "r3")];
        let again = ["r3".to_owned()].into();
        let Books { acknowledged, copy, since, history } = books;
        Restoration { acknowledged, copy, before: &before, since, again: &again, history }.check()
    }

    /// What is found after something was done to books that were right.
    fn after(spoil: impl FnOnce(&mut Books)) -> Vec<String> {
        let mut books = books();
        spoil(&mut books);
        check(&books).broken.iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn what_was_pending_in_the_copy_may_arrive_twice() {
        let expected = Findings { accepted: 2, requests: 5, uncertain: 0, duplicates: 1, broken: Vec::new() };
        assert_eq!(check(&books()), expected);
    }

    #[test]
    fn what_the_copy_knows_as_delivered_may_not() {
        assert_eq!(after(|books| books.since.push(arrival("d1", "r1"))), ["repeated:"]);
    }

    #[test]
    fn what_was_acknowledged_and_is_not_in_the_copy_is_lost() {
        assert_eq!(after(|books| assert!(books.acknowledged.insert("r3".to_owned()))), ["lost:"]);
    }

    #[test]
    fn what_is_pending_in_the_copy_must_be_sent_and_only_once() {
        assert_eq!(after(|books| drop(books.since.remove(0))), ["unsent:"]);
        assert_eq!(after(|books| books.since.push(arrival("d2", "r2"))), ["duplicated:"]);
    }

    #[test]
    fn what_nobody_ended_on_the_copy_is_unexpected() {
        assert_eq!(after(|books| books.since.push(arrival("d5", "r5"))), ["unexpected:"]);
    }

    #[test]
    fn a_history_that_changes_or_does_not_end_is_found() {
        assert_eq!(after(|books| books.history[0].attempts.push(None)), ["changed:"]);
        assert_eq!(after(|books| "pending".clone_into(&mut books.history[1].status)), ["unfinished:"]);
    }
}
