//! Test runs and the states they go through.

use std::{fmt, str::FromStr};

use jiff::Timestamp;

use crate::{
    id::{AgentId, OrganizationId, RunId},
    tally::Tally,
    wire_time,
};

/// `pending → running → grading → completed | failed | canceled`; `grading` may be skipped. The last three are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the variants are the documented states")]
pub enum RunStatus {
    Pending,
    Running,
    Grading,
    Completed,
    Failed,
    Canceled,
}

impl RunStatus {
    /// Every status, in the order of a run's life.
    pub const ALL: [Self; 6] = [Self::Pending, Self::Running, Self::Grading, Self::Completed, Self::Failed, Self::Canceled];

    /// The status on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Grading => "grading",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// The status of that name; `None` for every other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether a run in this status has ended and had its event.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Canceled)
    }
}

/// A status in which a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the variants are the documented states")]
pub enum FinalStatus {
    Completed,
    Failed,
    Canceled,
}

impl From<FinalStatus> for RunStatus {
    fn from(status: FinalStatus) -> Self {
        match status {
            FinalStatus::Completed => Self::Completed,
            FinalStatus::Failed => Self::Failed,
            FinalStatus::Canceled => Self::Canceled,
        }
    }
}

/// The number of a run in its organization: `TR-00042`. At least five digits, more when they are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunNumber(pub u32);

impl fmt::Display for RunNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TR-{:05}", self.0)
    }
}

/// How a caller names a run: by its id or by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunRef {
    /// `7c9e6679-7425-40de-944b-e07fc1f90ae7`
    Id(RunId),
    /// `TR-00042`
    Number(RunNumber),
}

/// A text that names no run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither a run's id nor a number like TR-00042")]
pub struct NotARunRef;

impl FromStr for RunRef {
    type Err = NotARunRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(digits) = text.strip_prefix("TR-") {
            let number = digits.parse().map(RunNumber).map_err(|_| NotARunRef)?;
            // One run has one name: "TR-42" and "TR-+0042" name nothing.
            return if number.to_string() == text { Ok(Self::Number(number)) } else { Err(NotARunRef) };
        }
        text.parse().map(Self::Id).map_err(|_| NotARunRef)
    }
}

/// A test run as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the documented ones of the API")]
pub struct Run {
    pub id: RunId,
    pub organization_id: OrganizationId,
    pub number: RunNumber,
    pub name: String,
    pub agent_id: AgentId,
    pub agent_name: String,
    pub status: RunStatus,
    pub tally: Tally,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl Run {
    /// Whole seconds from start to end as shown on the wire; 0 for a run that did not start or has not ended.
    pub fn duration_seconds(&self) -> u64 {
        match (self.started_at, self.completed_at) {
            (Some(start), Some(end)) => wire_time::seconds_between(start, end),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_has_five_digits_and_grows_past_them() {
        assert_eq!(RunNumber(42).to_string(), "TR-00042");
        assert_eq!(RunNumber(99_999).to_string(), "TR-99999");
        assert_eq!(RunNumber(100_000).to_string(), "TR-100000");
    }

    #[test]
    fn a_run_has_one_spelling() {
        for wrong in ["TR-42", "TR-+0042", "tr-00042", "TR-", "TR-4294967296", "", "TR-00042 ", "42"] {
            assert_eq!(wrong.parse::<RunRef>(), Err(NotARunRef), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_number_parses_back(number: u32) {
            let number = RunNumber(number);
            prop_assert_eq!(number.to_string().parse(), Ok(RunRef::Number(number)));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text: String) {
            let _ = text.parse::<RunRef>();
        }
    }
}
