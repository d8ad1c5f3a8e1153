//! Bulk redeliveries: many deliveries repeated by one order, bit by bit.

use jiff::Timestamp;

use crate::{
    delivery::DeliveryStatus,
    id::{AgentId, RedeliveryJobId, RunId, WebhookId},
};

/// How many deliveries of one job may be pending at once: enough to keep a receiver busy, few enough that one which has just
/// recovered is not knocked over by its own backlog, and that one which has not costs this many attempts and no more.
pub const MAX_PENDING_OF_JOB: u32 = 8;

/// Which deliveries to repeat; what is `None` does not restrict. Tests are never among them.
///
/// Of several deliveries of an event to a webhook the newest counts. An event that the webhook got later, or is about to get, is
/// left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the delivery")]
pub struct RedeliverySelection {
    /// How they ended.
    pub ended: Repeated,
    pub webhook_id: Option<WebhookId>,
    pub agent_id: Option<AgentId>,
    pub run_id: Option<RunId>,
    /// Created at that time or later.
    pub created_after: Option<Timestamp>,
    /// Created before that time.
    pub created_before: Option<Timestamp>,
}

impl RedeliverySelection {
    /// What was missed, if it selects that.
    pub const fn missed(&self) -> Option<Missed> {
        match self.ended {
            Repeated::Missed(missed) => Some(missed),
            Repeated::As(_) => None,
        }
    }

    /// Whether it selects what a webhook missed that has recovered, without an order.
    pub const fn is_on_recovery(&self) -> bool {
        matches!(self.ended, Repeated::Missed(Missed { on_recovery: true, .. }))
    }

    /// Whether a job with so many deliveries has ended when it is created. Not one that nobody ordered: what was missed while they were
    /// counted would be forgotten.
    pub const fn ends_at_once(&self, total: u64) -> bool {
        total == 0 && !self.is_on_recovery()
    }
}

/// How the deliveries ended that are to be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeated {
    /// In that status, whoever brought that about.
    As(RepeatedStatus),
    /// A webhook that failed, or that we disabled, missed them.
    Missed(Missed),
}

/// What a webhook missed: it failed for good, or was canceled because we disabled the webhook, or while we had it disabled. What its
/// owner canceled, by whatever means, was not missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// Ended at that time or later.
    pub since: Timestamp,
    /// Of each agent's runs the newest alone, and not even that if the webhook got a newer one, or is about to. What tells of no run is
    /// repeated as otherwise.
    pub newest_per_agent: bool,
    /// Nobody ordered it: the webhook has recovered. What was replayed so [`MAX_REPLAYS`](crate::replay_on_recovery::MAX_REPLAYS) times
    /// is left out.
    pub on_recovery: bool,
}

impl Repeated {
    /// How it is kept.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::As(status) => DeliveryStatus::from(status).as_str(),
            Self::Missed(_) => Self::MISSED,
        }
    }

    /// How what was missed is kept.
    pub const MISSED: &'static str = "missed";
}

/// A status in which a delivery has ended, and may be repeated with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs, reason = "the variants are those of the delivery")]
pub enum RepeatedStatus {
    Delivered,
    #[default]
    Failed,
    Canceled,
}

impl RepeatedStatus {
    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::Delivered, Self::Failed, Self::Canceled];

    /// The status of that name; `None` for every other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| DeliveryStatus::from(*status).as_str() == text)
    }
}

impl From<RepeatedStatus> for DeliveryStatus {
    fn from(status: RepeatedStatus) -> Self {
        match status {
            RepeatedStatus::Delivered => Self::Delivered,
            RepeatedStatus::Failed => Self::Failed,
            RepeatedStatus::Canceled => Self::Canceled,
        }
    }
}

/// Where a job stands. The last two are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobStatus {
    /// Some of its deliveries are still to be written.
    Running,
    /// All of them are written, or skipped. They may still be on their way.
    Completed,
    /// Somebody stopped it. What was written by then goes on.
    Canceled,
}

impl JobStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Running, Self::Completed, Self::Canceled];

    /// The status on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
        }
    }

    /// The status of that name; `None` for every other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A bulk redelivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedeliveryJob {
    /// Its id.
    pub id: RedeliveryJobId,
    /// Where it stands.
    pub status: JobStatus,
    /// What it repeats of all that had ended when it was created.
    pub selection: RedeliverySelection,
    /// How many deliveries that are.
    pub total: u64,
    /// How many of them have a new delivery by now.
    pub enqueued: u64,
    /// How many were passed over.
    pub skipped: Skipped,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was completed or canceled.
    pub completed_at: Option<Timestamp>,
}

/// Deliveries that were not repeated, by the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the fields are the reasons")]
pub struct Skipped {
    pub webhook_deleted: u64,
    pub webhook_disabled: u64,
}

impl Skipped {
    /// All of them.
    pub const fn sum(self) -> u64 {
        self.webhook_deleted + self.webhook_disabled
    }
}
