//! Runs by agent.

use preclinical_core::{id::AgentId, run::Run, tally::PassRate};

/// How many lines can be told apart.
pub(super) const MOST_SERIES: usize = 5;

/// The runs of one agent, oldest first.
pub(super) struct Series<'a> {
    pub(super) agent: AgentId,
    pub(super) name: &'a str,
    pub(super) points: Vec<Point<'a>>,
}

/// A run, and the how manyth it is of all that are shown, from 0 on.
#[derive(Clone, Copy)]
pub(super) struct Point<'a> {
    pub(super) place: u32,
    pub(super) run: &'a Run,
}

impl<'a> Series<'a> {
    /// The series of the agents with the latest runs, and whether there are more agents. The runs come oldest first.
    pub(super) fn of(runs: &'a [Run]) -> (Vec<Self>, bool) {
        let mut series: Vec<Self> = Vec::new();
        let mut is_cut = false;
        for run in runs.iter().rev() {
            if series.iter().any(|series| series.agent == run.agent_id) {
                continue;
            }
            if series.len() == MOST_SERIES {
                is_cut = true;
                break;
            }
            series.push(Self { agent: run.agent_id, name: &run.agent_name, points: Vec::new() });
        }
        let mut place = 0;
        for run in runs {
            if let Some(series) = series.iter_mut().find(|series| series.agent == run.agent_id) {
                series.points.push(Point { place, run });
                place += 1;
            }
        }
        (series, is_cut)
    }

    /// The rate of the latest run.
    pub(super) fn latest(&self) -> PassRate {
        self.points.last().map_or(PassRate::of(0, 0), |point| point.run.tally.pass_rate())
    }

    /// The mean of the runs' rates, to a whole percent.
    pub(super) fn average(&self) -> String {
        let rates = self.points.iter().map(|point| point.run.tally.pass_rate().percent());
        let count = u32::try_from(self.points.len().max(1)).unwrap_or(u32::MAX);
        format!("{:.0}%", rates.sum::<f64>() / f64::from(count))
    }
}
