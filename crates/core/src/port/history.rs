//! What happened is read. Nothing here writes.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::{
    attempt::Attempt,
    decision::Decision,
    delivery::{Delivery, DeliveryStatus},
    id::{AgentId, DeliveryId, OrganizationId, RunId, WebhookId},
    run::{Run, RunRef, RunStatus},
    scenario::{ScenarioResult, ScenarioStatus},
    search::Search,
};

/// Runs and deliveries, read only.
#[async_trait]
pub trait History: Send + Sync {
    /// The run of that id or number.
    async fn run(&self, organization: OrganizationId, run: RunRef) -> Result<Option<Run>, StoreError>;

    /// A page of the runs, newest first, and how many match in all.
    async fn runs(&self, organization: OrganizationId, filter: RunFilter, page: Page)
    -> Result<(Vec<Run>, u64), StoreError>;

    /// A run's scenario results in the order of their first report.
    async fn results(
        &self,
        organization: OrganizationId,
        run: RunRef,
    ) -> Result<Option<(Run, Vec<ScenarioResult>)>, StoreError>;

    /// A page of a run's scenario results, and how many there are of each verdict. What needs a look comes first, in the order of
    /// [`ScenarioStatus::BY_CONCERN`]; of each verdict the first report.
    async fn results_page(
        &self,
        organization: OrganizationId,
        run: RunRef,
        status: Option<ScenarioStatus>,
        page: Page,
    ) -> Result<Option<ResultsPage>, StoreError>;

    /// A page of what was decided when the run ended, and how much there is in all: the newest ending first, and of each the agent's
    /// webhook before the organization's. Nothing of a run that is not final. What was decided never changes; the delivery is
    /// shown as it is now.
    async fn decisions(
        &self,
        organization: OrganizationId,
        run: RunRef,
        page: Page,
    ) -> Result<Option<(Vec<Decision>, u64)>, StoreError>;

    /// A page of the deliveries, newest first. Rows that arrive later never shift a page that is reached by its cursor.
    async fn deliveries(&self, organization: OrganizationId, filter: DeliveryFilter) -> Result<DeliveryPage, StoreError>;

    /// A delivery with all its attempts, first to last.
    async fn delivery(
        &self,
        organization: OrganizationId,
        id: DeliveryId,
    ) -> Result<Option<(Delivery, Vec<Attempt>)>, StoreError>;
}

/// A piece of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many rows at most.
    pub limit: u32,
    /// How many rows to pass over.
    pub offset: u32,
}

/// Which runs; what is `None` does not restrict.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "the fields are those of the run")]
pub struct RunFilter {
    pub status: Option<RunStatus>,
    pub agent_id: Option<AgentId>,
}

/// A page of a run's results.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultsPage {
    /// The run as it was when they were read.
    pub run: Run,
    /// How many results of each verdict the run has, whatever the page holds.
    pub counts: [(ScenarioStatus, u32); 4],
    /// At most as many as were asked for.
    pub results: Vec<ScenarioResult>,
}

impl ResultsPage {
    /// How many results the run has of a verdict, or of all.
    pub fn total(&self, status: Option<ScenarioStatus>) -> u32 {
        self.counts.iter().filter(|(of, _)| status.is_none_or(|status| status == *of)).map(|(_, count)| count).sum()
    }
}

/// Which deliveries, and how many; what is `None` does not restrict.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the fields are those of the delivery")]
pub struct DeliveryFilter {
    pub status: Option<DeliveryStatus>,
    pub webhook_id: Option<WebhookId>,
    pub agent_id: Option<AgentId>,
    pub run_id: Option<RunId>,
    /// The delivery of that id, or those of that run, webhook, agent or event.
    pub search: Option<Search>,
    /// Created at that time or later.
    pub created_after: Option<Timestamp>,
    /// Created before that time.
    pub created_before: Option<Timestamp>,
    pub cursor: Option<DeliveryCursor>,
    pub limit: u32,
}

/// The last delivery of a page; the next page begins behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the delivery")]
pub struct DeliveryCursor {
    pub created_at: Timestamp,
    pub id: DeliveryId,
}

/// A page of deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryPage {
    /// At most as many as were asked for.
    pub deliveries: Vec<Delivery>,
    /// Where to go on; `None` on the last page.
    pub next: Option<DeliveryCursor>,
}
