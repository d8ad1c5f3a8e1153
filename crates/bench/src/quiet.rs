//! Quiet: a measurement beside a compiler is worth nothing.
//!
//! Before each measurement the machine has to be idle; one beside which others took processor time is made again. Both have a
//! limit, and the result says how often it was reached.

use std::{fmt::Display, time::Duration};

use anyhow::Context;
use tokio::time::Instant;

use crate::terminal::say_aside;

/// What others may take of all cores, before a measurement and beside it.
const QUIET_ENOUGH: f64 = 0.1;

/// How long the machine is watched before it counts as idle.
const GLANCE: Duration = Duration::from_secs(1);

/// How often a disturbed measurement is made again.
const REPEATS: usize = 4;

/// How long a measurement may take unless it is said otherwise.
const DEADLINE: Duration = Duration::from_mins(10);

/// Makes measurements and keeps count of what came in between.
pub(crate) struct Session {
    deadline: Duration,
    patience: Duration,
    measured: usize,
    disturbed: usize,
}

impl Session {
    /// For quiet we wait up to `patience` each time.
    pub(crate) fn new(patience: Duration) -> Self {
        Self { deadline: DEADLINE, patience, measured: 0, disturbed: 0 }
    }

    /// From now on no measurement may take longer than that.
    pub(crate) fn within(&mut self, deadline: Duration) {
        self.deadline = deadline;
    }

    /// How many measurements counted since this was asked last, and beside how many of them others were at work.
    pub(crate) fn take_counts(&mut self) -> (usize, usize) {
        (std::mem::take(&mut self.measured), std::mem::take(&mut self.disturbed))
    }

    /// Makes a measurement once it is quiet, again if it did not stay so.
    pub(crate) async fn measure<T: Display>(
        &mut self,
        name: &str,
        measurement: impl AsyncFn() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        for repeat in 0..=REPEATS {
            let was_quiet = self.wait_for_quiet().await;
            let before = Work::read();
            let outcome = tokio::time::timeout(self.deadline, measurement()).await;
            let outcome = outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("no result within {:?}", self.deadline)));
            let outcome = outcome.with_context(|| name.to_owned())?;
            let others = foreign(before);
            let disturbed = others > QUIET_ENOUGH;
            let aside =
                if disturbed { format!(" (others took {:.0} % of the cores)", 100.0 * others) } else { String::new() };
            say_aside(format_args!("  {name}: {outcome}{aside}"));
            if !disturbed || !was_quiet || repeat == REPEATS {
                self.measured += 1;
                self.disturbed += usize::from(disturbed);
                return Ok(outcome);
            }
        }
        anyhow::bail!("{name} was never measured")
    }

    /// Whether it became quiet in time.
    async fn wait_for_quiet(&self) -> bool {
        let deadline = Instant::now() + self.patience;
        let mut told = false;
        while Instant::now() < deadline {
            let before = Work::read();
            tokio::time::sleep(GLANCE).await;
            if foreign(before) <= QUIET_ENOUGH {
                return true;
            }
            if !told {
                say_aside("  waiting until nothing else runs on this machine");
                told = true;
            }
        }
        false
    }
}

/// What others took of all cores since `before`; 0 where there is no `/proc`.
fn foreign(before: Option<Work>) -> f64 {
    before.zip(Work::read()).map_or(0.0, |(before, now)| now.foreign_since(before))
}

/// Ticks, over all cores.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Work {
    /// Since the machine was started.
    all: u64,
    /// Spent on processes, of this machine or of another one on the same hardware.
    busy: u64,
    /// Spent on this process, and on those that it started and that have ended.
    ours: u64,
}

impl Work {
    fn read() -> Option<Self> {
        let read = |path| std::fs::read_to_string(path).ok();
        Self::parse(&read("/proc/stat")?, &read("/proc/self/stat")?)
    }

    fn parse(machine: &str, process: &str) -> Option<Self> {
        let number = |field: &str| field.parse::<u64>().ok();
        // user nice system idle iowait irq softirq steal; guests are counted under user.
        let fields = machine.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
        let ticks: Vec<u64> = fields.take(8).map_while(number).collect();
        // utime stime cutime cstime; the name before them may contain anything.
        let fields = process.rsplit_once(')')?.1.split_whitespace();
        let ours: Vec<u64> = fields.skip(11).take(4).map_while(number).collect();
        Some(Self {
            all: ticks.iter().sum(),
            busy: ticks.get(..3)?.iter().sum::<u64>() + ticks.get(7)?,
            ours: ours.get(..4)?.iter().sum(),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "ticks between two readings are few")]
    fn foreign_since(self, before: Self) -> f64 {
        let (all, ours) = (self.all.saturating_sub(before.all).max(1), self.ours.saturating_sub(before.ours));
        self.busy.saturating_sub(before.busy).saturating_sub(ours) as f64 / all as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_waiting_for_the_disk_nor_our_own_work_is_a_disturbance() {
        let before =
            Work::parse("cpu  100 0 40 800 40 5 5 10 0 0\ncpu0 1 1 1 1", "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15");
        let before = before.unwrap();
        assert_eq!(before, Work { all: 1000, busy: 150, ours: 11 + 12 + 13 + 14 });
        let after = Work { all: 1200, busy: 250, ours: 120 };
        assert!((after.foreign_since(before) - 0.15).abs() < 1e-9);
        assert_eq!(Work::parse("something else", ""), None);
    }
}
