//! What the sink has seen.

use std::collections::{HashMap, HashSet};

use anyhow::bail;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::verify::Genuine;

/// The counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stats {
    /// Different `webhook-id`s among the genuine requests.
    pub(crate) distinct: usize,
    /// Different runs among them.
    pub(crate) runs: usize,
    /// Genuine requests whose `webhook-id` had been there before.
    pub(crate) duplicates: usize,
    /// Requests that were not genuine.
    pub(crate) wrong: usize,
    /// What was wrong with the first of them.
    pub(crate) complaint: Option<String>,
    /// Requests that were left without an answer on purpose.
    pub(crate) held: usize,
    /// When the last genuine request came in: its first byte, in microseconds since 1970.
    pub(crate) last_us: i64,
}

impl Stats {
    /// Whether exactly `expected` runs were told of, each once, all genuine.
    pub(crate) fn judge(&self, expected: usize) -> anyhow::Result<()> {
        if self.wrong > 0 {
            bail!("the sink refused {} requests; the first one: {}", self.wrong, self.complaint.as_deref().unwrap_or("?"));
        }
        if self.duplicates > 0 {
            bail!("the sink received {} requests twice", self.duplicates);
        }
        if (self.distinct, self.runs) != (expected, expected) {
            bail!("the sink received {} webhooks of {} runs instead of {expected}", self.distinct, self.runs);
        }
        Ok(())
    }
}

/// The counts and what they are made of.
#[derive(Default)]
pub(super) struct Ledger {
    stats: Stats,
    ids: HashSet<String>,
    arrivals: HashMap<Uuid, i64>,
    awaited: Option<usize>,
}

impl Ledger {
    /// Notes a request whose first byte came in at `first_byte`. Answers whether whoever waits has something to look at.
    pub(super) fn add(&mut self, verdict: Result<Genuine, &'static str>, first_byte: i64) -> bool {
        match verdict {
            Ok(genuine) => {
                self.stats.last_us = self.stats.last_us.max(first_byte);
                self.arrivals.entry(genuine.run).or_insert(first_byte);
                if !self.ids.insert(genuine.webhook_id) {
                    self.stats.duplicates += 1;
                }
            }
            Err(complaint) => {
                self.stats.wrong += 1;
                self.stats.complaint.get_or_insert_with(|| complaint.to_owned());
            }
        }
        self.awaited.is_some_and(|distinct| self.has(distinct))
    }

    /// Notes a request that is left without an answer.
    pub(super) fn hold(&mut self) {
        self.stats.held += 1;
    }

    /// The counts if there are `distinct` webhooks or something is wrong; otherwise [`Self::add`] will tell.
    pub(super) fn stats_at(&mut self, distinct: usize) -> Option<Stats> {
        self.awaited = Some(distinct);
        let stats = Stats { distinct: self.ids.len(), runs: self.arrivals.len(), ..self.stats.clone() };
        self.has(distinct).then_some(stats)
    }

    /// When the first byte of each run's first webhook came in.
    pub(super) fn arrivals(&self) -> &HashMap<Uuid, i64> {
        &self.arrivals
    }

    fn has(&self, distinct: usize) -> bool {
        self.ids.len() >= distinct || self.stats.wrong > 0 || self.stats.duplicates > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Verdict = Result<Genuine, &'static str>;

    fn webhook(id: u128, run: u128) -> Verdict {
        if id == 0 {
            return Err("its webhook-signature is wrong");
        }
        Ok(Genuine { webhook_id: format!("msg_{id}"), run: Uuid::from_u128(run) })
    }

    fn genuine(id: u128) -> Verdict {
        webhook(id, id)
    }

    fn stats(verdicts: impl IntoIterator<Item = Verdict>) -> Stats {
        let mut ledger = Ledger::default();
        for (at, verdict) in (1..).zip(verdicts) {
            ledger.add(verdict, at);
        }
        ledger.stats_at(0).unwrap()
    }

    #[test]
    fn all_runs_once_is_what_passes() {
        let stats = stats([genuine(1), genuine(2)]);
        assert_eq!((stats.distinct, stats.last_us), (2, 2));
        assert!(stats.judge(2).is_ok());
        assert!(stats.judge(3).is_err());
    }

    #[test]
    fn a_duplicate_fails_the_run() {
        assert!(stats([genuine(1), genuine(2), genuine(1)]).judge(2).is_err());
    }

    #[test]
    fn a_second_webhook_about_the_same_run_fails_it_too() {
        assert!(stats([webhook(1, 1), webhook(2, 1)]).judge(2).is_err());
    }

    #[test]
    fn a_wrong_signature_fails_the_run() {
        let stats = stats([genuine(1), webhook(0, 0), genuine(2)]);
        assert!(stats.judge(2).unwrap_err().to_string().contains("webhook-signature"));
    }

    #[test]
    fn whoever_waits_is_told_of_the_last_one_and_of_anything_wrong() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.stats_at(2), None);
        assert!(!ledger.add(genuine(1), 1));
        assert!(ledger.add(genuine(2), 2));
        assert_eq!(ledger.stats_at(3), None);
        assert!(ledger.add(webhook(0, 0), 3));
    }
}
