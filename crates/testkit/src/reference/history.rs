//! What happened is read.

use async_trait::async_trait;
use preclinical_core::{
    attempt::Attempt,
    decision::Decision,
    delivery::Delivery,
    id::{DeliveryId, OrganizationId, RunId},
    port::{DeliveryCursor, DeliveryFilter, DeliveryPage, History, Page, ResultsPage, RunFilter, StoreError},
    run::{Run, RunRef},
    scenario::{ScenarioResult, ScenarioStatus},
    search::Search,
};

use super::{DeliveryRow, Ledger, ReferenceStore, RunRow, page};

impl DeliveryRow {
    pub(super) fn position(&self) -> DeliveryCursor {
        DeliveryCursor { created_at: self.delivery.created_at, id: self.delivery.id }
    }

    fn is_named(&self, search: Search) -> bool {
        let delivery = &self.delivery;
        match search {
            Search::Nothing => false,
            Search::Run(number) => delivery.run_number == Some(number),
            Search::Id(id) => {
                let ids = [delivery.id.uuid(), delivery.webhook_id.uuid(), self.event.uuid()];
                let run = delivery.run_id.is_some_and(|run| run.uuid() == id);
                ids.contains(&id) || run || delivery.agent_id.is_some_and(|agent| agent.uuid() == id)
            }
        }
    }

    fn matches(&self, filter: &DeliveryFilter) -> bool {
        let delivery = &self.delivery;
        filter.status.is_none_or(|status| delivery.status == status)
            && filter.webhook_id.is_none_or(|webhook| delivery.webhook_id == webhook)
            && (filter.agent_id.is_none() || delivery.agent_id == filter.agent_id)
            && (filter.run_id.is_none() || delivery.run_id == filter.run_id)
            && filter.search.is_none_or(|search| self.is_named(search))
            && filter.created_after.is_none_or(|after| delivery.created_at >= after)
            && filter.created_before.is_none_or(|before| delivery.created_at < before)
            && filter.cursor.is_none_or(|cursor| key(self.position()) < key(cursor))
    }
}

/// The order of positions.
pub(super) fn key(position: DeliveryCursor) -> (jiff::Timestamp, DeliveryId) {
    (position.created_at, position.id)
}

impl Ledger {
    pub(super) fn run_id(&self, organization: OrganizationId, run: RunRef) -> Option<RunId> {
        let mut runs = self.runs.values().map(|row| &row.run).filter(|run| run.organization_id == organization);
        match run {
            RunRef::Id(id) => self.runs.get(&id).filter(|row| row.run.organization_id == organization).map(|_| id),
            RunRef::Number(number) => runs.find(|run| run.number == number).map(|run| run.id),
        }
    }

    fn run(&self, organization: OrganizationId, run: RunRef) -> Option<&RunRow> {
        self.run_id(organization, run).and_then(|id| self.runs.get(&id))
    }

    /// A run with its agent's name as it is now.
    pub(super) fn shown(&self, row: &RunRow) -> Run {
        let agent_name = self.agents.get(&row.run.agent_id).map(|row| row.agent.name.clone()).unwrap_or_default();
        Run { agent_name, ..row.run.clone() }
    }

    pub(super) fn delivery(&self, organization: OrganizationId, id: DeliveryId) -> Option<&DeliveryRow> {
        self.deliveries.get(&id).filter(|row| row.organization == organization)
    }

    fn deliveries(&self, organization: OrganizationId, filter: &DeliveryFilter) -> DeliveryPage {
        let of_organization = self.deliveries.values().filter(|row| row.organization == organization);
        let mut rows: Vec<_> = of_organization.filter(|row| row.matches(filter)).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(key(row.position())));
        let limit = filter.limit as usize;
        let is_last = rows.len() <= limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| !is_last).map(|row| row.position());
        DeliveryPage { deliveries: rows.into_iter().map(DeliveryRow::shown).collect(), next }
    }

    fn decisions(&self, row: &RunRow) -> Vec<Decision> {
        let filled = |(decision, delivery): &(Decision, Option<DeliveryId>)| {
            let mut decision = decision.clone();
            if let Some(judged) = &mut decision.about {
                judged.delivery = delivery.and_then(|id| self.deliveries.get(&id)).map(DeliveryRow::shown);
            }
            decision
        };
        row.decisions.iter().map(filled).collect()
    }

    fn results_page(&self, row: &RunRow, status: Option<ScenarioStatus>, wanted: Page) -> ResultsPage {
        let of = |status| row.results.iter().filter(move |result| result.status == status);
        let counts =
            ScenarioStatus::BY_CONCERN.map(|status| (status, u32::try_from(of(status).count()).unwrap_or(u32::MAX)));
        let listed = ScenarioStatus::BY_CONCERN.into_iter().filter(|of| status.is_none_or(|status| status == *of));
        let results = listed.flat_map(of).cloned().collect();
        ResultsPage { run: self.shown(row), counts, results: page(results, wanted).0 }
    }
}

#[async_trait]
impl History for ReferenceStore {
    async fn run(&self, organization: OrganizationId, run: RunRef) -> Result<Option<Run>, StoreError> {
        Ok(self.read(|ledger| ledger.run(organization, run).map(|row| ledger.shown(row))))
    }

    async fn runs(
        &self,
        organization: OrganizationId,
        filter: RunFilter,
        wanted: Page,
    ) -> Result<(Vec<Run>, u64), StoreError> {
        Ok(self.read(|ledger| {
            let rows = ledger.runs.values().filter(|row| row.run.organization_id == organization);
            let rows = rows.filter(|row| filter.status.is_none_or(|status| row.run.status == status));
            let rows = rows.filter(|row| filter.agent_id.is_none_or(|agent| row.run.agent_id == agent));
            let mut runs: Vec<_> = rows.map(|row| ledger.shown(row)).collect();
            runs.sort_by_key(|run| std::cmp::Reverse(run.number));
            page(runs, wanted)
        }))
    }

    async fn results(
        &self,
        organization: OrganizationId,
        run: RunRef,
    ) -> Result<Option<(Run, Vec<ScenarioResult>)>, StoreError> {
        Ok(self.read(|ledger| ledger.run(organization, run).map(|row| (ledger.shown(row), row.results.clone()))))
    }

    async fn results_page(
        &self,
        organization: OrganizationId,
        run: RunRef,
        status: Option<ScenarioStatus>,
        wanted: Page,
    ) -> Result<Option<ResultsPage>, StoreError> {
        Ok(self.read(|ledger| ledger.run(organization, run).map(|row| ledger.results_page(row, status, wanted))))
    }

    async fn decisions(
        &self,
        organization: OrganizationId,
        run: RunRef,
        wanted: Page,
    ) -> Result<Option<(Vec<Decision>, u64)>, StoreError> {
        Ok(self.read(|ledger| ledger.run(organization, run).map(|row| page(ledger.decisions(row), wanted))))
    }

    async fn deliveries(&self, organization: OrganizationId, filter: DeliveryFilter) -> Result<DeliveryPage, StoreError> {
        Ok(self.read(|ledger| ledger.deliveries(organization, &filter)))
    }

    async fn delivery(
        &self,
        organization: OrganizationId,
        id: DeliveryId,
    ) -> Result<Option<(Delivery, Vec<Attempt>)>, StoreError> {
        Ok(self.read(|ledger| ledger.delivery(organization, id).map(|row| (row.shown(), row.attempts.clone()))))
    }
}
