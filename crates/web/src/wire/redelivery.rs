//! Bulk redeliveries on the wire.

use preclinical_core::{
    delivery::DeliveryStatus,
    id::{AgentId, RedeliveryJobId, RunId, WebhookId},
    redelivery::{JobStatus, RedeliveryJob, RedeliverySelection, Repeated, RepeatedStatus, Skipped},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::delivery::precise;
use crate::openapi::{Choice, DateTime, Uuid};

/// A bulk redelivery.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Redelivery")]
pub(crate) struct RedeliveryJobView {
    #[schemars(with = "Uuid")]
    id: RedeliveryJobId,
    #[schemars(with = "Choice<JobStatus>")]
    status: &'static str,
    filter: FilterView,
    total: u64,
    enqueued: u64,
    skipped: u64,
    skipped_reasons: SkippedView,
    #[schemars(with = "DateTime")]
    created_at: String,
    #[schemars(with = "Option<DateTime>")]
    completed_at: Option<String>,
    /// Nobody ordered it: its webhook has recovered, and has `replay_on_recovery`.
    on_recovery: bool,
}

/// As the body of the order has it. A replay of what a webhook missed has no status, but a time from which on it was missed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RedeliveryFilter")]
struct FilterView {
    #[schemars(with = "Option<Choice<RepeatedStatus>>")]
    status: Option<&'static str>,
    #[schemars(with = "Option<Uuid>")]
    webhook_id: Option<WebhookId>,
    #[schemars(with = "Option<Uuid>")]
    agent_id: Option<AgentId>,
    #[schemars(with = "Option<Uuid>")]
    run_id: Option<RunId>,
    #[schemars(with = "Option<DateTime>")]
    created_after: Option<String>,
    #[schemars(with = "Option<DateTime>")]
    created_before: Option<String>,
    #[schemars(with = "Option<DateTime>")]
    missed_since: Option<String>,
    newest_per_agent: bool,
}

/// Why deliveries were passed over.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RedeliverySkipped")]
struct SkippedView {
    webhook_deleted: u64,
    webhook_disabled: u64,
}

impl From<&RedeliveryJob> for RedeliveryJobView {
    fn from(job: &RedeliveryJob) -> Self {
        Self {
            id: job.id,
            status: job.status.as_str(),
            filter: FilterView::from(job.selection),
            total: job.total,
            enqueued: job.enqueued,
            skipped: job.skipped.sum(),
            skipped_reasons: SkippedView::from(job.skipped),
            created_at: precise(job.created_at),
            completed_at: job.completed_at.map(precise),
            on_recovery: job.selection.is_on_recovery(),
        }
    }
}

impl From<RedeliverySelection> for FilterView {
    fn from(selection: RedeliverySelection) -> Self {
        Self {
            status: match selection.ended {
                Repeated::As(status) => Some(DeliveryStatus::from(status).as_str()),
                Repeated::Missed(_) => None,
            },
            webhook_id: selection.webhook_id,
            agent_id: selection.agent_id,
            run_id: selection.run_id,
            created_after: selection.created_after.map(precise),
            created_before: selection.created_before.map(precise),
            missed_since: selection.missed().map(|missed| precise(missed.since)),
            newest_per_agent: selection.missed().is_some_and(|missed| missed.newest_per_agent),
        }
    }
}

impl From<Skipped> for SkippedView {
    fn from(skipped: Skipped) -> Self {
        let Skipped { webhook_deleted, webhook_disabled } = skipped;
        Self { webhook_deleted, webhook_disabled }
    }
}
