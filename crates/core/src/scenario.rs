//! Results of single scenarios, as a runner reports them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::tally::Tally;

/// The most scenarios that a run can have results of.
pub const MAX_SCENARIOS: u32 = 100_000;

/// The verdict on one scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the variants are the documented verdicts")]
pub enum ScenarioStatus {
    Passed,
    Failed,
    Error,
    Canceled,
}

impl ScenarioStatus {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::Passed, Self::Failed, Self::Error, Self::Canceled];

    /// Every verdict, those first that somebody should look at.
    pub const BY_CONCERN: [Self; 4] = [Self::Failed, Self::Error, Self::Canceled, Self::Passed];

    /// The verdict on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Canceled => "canceled",
        }
    }

    /// The verdict of that name; `None` for every other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// One scenario's result. Two reports of a scenario are the same if all of it is equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are the documented ones of the API")]
pub struct ScenarioResult {
    pub scenario_id: String,
    pub scenario_name: String,
    pub status: ScenarioStatus,
    pub grade_summary: Option<String>,
    pub criteria_results: Option<Value>,
    pub transcript: Option<Value>,
    pub duration_ms: Option<u64>,
    pub error_message: Option<String>,
}

/// What one scenario came to, without the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the result")]
pub struct Verdict {
    pub scenario_id: String,
    pub scenario_name: String,
    pub status: ScenarioStatus,
}

/// Counts verdicts; a canceled scenario belongs to the total only. `planned` is the run's size if it was announced.
pub fn tally(verdicts: impl IntoIterator<Item = ScenarioStatus>, planned: Option<u32>) -> Tally {
    let mut tally = Tally::default();
    let mut reported = 0_u32;
    for verdict in verdicts {
        reported = reported.saturating_add(1);
        match verdict {
            ScenarioStatus::Passed => tally.passed += 1,
            ScenarioStatus::Failed => tally.failed += 1,
            ScenarioStatus::Error => tally.error += 1,
            ScenarioStatus::Canceled => {}
        }
    }
    tally.total = planned.unwrap_or(reported);
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canceled_scenario_counts_towards_the_total_only() {
        use ScenarioStatus::{Canceled, Error, Failed, Passed};
        let tally = tally([Passed, Passed, Failed, Error, Canceled], None);
        assert_eq!(tally, Tally { passed: 2, failed: 1, error: 1, total: 5 });
    }

    #[test]
    fn an_announced_total_outweighs_what_was_reported() {
        assert_eq!(tally([ScenarioStatus::Passed], Some(20)), Tally { passed: 1, failed: 0, error: 0, total: 20 });
    }
}
