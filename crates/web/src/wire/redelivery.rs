//! Bulk redeliveries on the wire.

use preclinical_core::{
    delivery::DeliveryStatus,
    id::{AgentId, RedeliveryJobId, RunId, WebhookId},
    redelivery::{RedeliveryJob, RedeliverySelection, Skipped},
};
use serde::Serialize;

use super::delivery::precise;

#[derive(Serialize)]
pub(crate) struct RedeliveryJobView {
    id: RedeliveryJobId,
    status: &'static str,
    filter: FilterView,
    total: u64,
    enqueued: u64,
    skipped: u64,
    skipped_reasons: SkippedView,
    created_at: String,
    completed_at: Option<String>,
}

/// As the body of the order has it.
#[derive(Serialize)]
struct FilterView {
    status: &'static str,
    webhook_id: Option<WebhookId>,
    agent_id: Option<AgentId>,
    run_id: Option<RunId>,
    created_after: Option<String>,
    created_before: Option<String>,
}

#[derive(Serialize)]
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
        }
    }
}

impl From<RedeliverySelection> for FilterView {
    fn from(selection: RedeliverySelection) -> Self {
        Self {
            status: DeliveryStatus::from(selection.status).as_str(),
            webhook_id: selection.webhook_id,
            agent_id: selection.agent_id,
            run_id: selection.run_id,
            created_after: selection.created_after.map(precise),
            created_before: selection.created_before.map(precise),
        }
    }
}

impl From<Skipped> for SkippedView {
    fn from(skipped: Skipped) -> Self {
        let Skipped { webhook_deleted, webhook_disabled } = skipped;
        Self { webhook_deleted, webhook_disabled }
    }
}
