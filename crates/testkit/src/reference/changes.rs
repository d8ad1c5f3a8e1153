//! What changes is told.

use async_trait::async_trait;
use preclinical_core::{
    delivery::Delivery,
    id::OrganizationId,
    port::{ChangeNumber, Changes, Progress, StoreError, Watch},
    run::RunRef,
    scenario::Verdict,
};
use tokio::sync::watch;

use super::{DeliveryRow, ReferenceStore};

struct Ear(watch::Receiver<()>);

#[async_trait]
impl Watch for Ear {
    async fn rung(&mut self) {
        if self.0.changed().await.is_err() {
            // The store is gone, and so is everything that could change.
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Changes for ReferenceStore {
    async fn watch(&self, organization: OrganizationId) -> Result<Box<dyn Watch>, StoreError> {
        let mut bells = self.bells.lock().unwrap();
        let bell = bells.entry(organization).or_insert_with(|| watch::channel(()).0);
        Ok(Box::new(Ear(bell.subscribe())))
    }

    async fn latest_change(&self, organization: OrganizationId) -> Result<ChangeNumber, StoreError> {
        let latest = self.read(|ledger| ledger.organizations.get(&organization).map(|row| row.last_change));
        Ok(ChangeNumber(latest.unwrap_or(0)))
    }

    async fn changed_deliveries(
        &self,
        organization: OrganizationId,
        after: ChangeNumber,
        limit: u32,
    ) -> Result<Vec<(ChangeNumber, Delivery)>, StoreError> {
        Ok(self.read(|ledger| {
            let is_new = |row: &&DeliveryRow| row.organization == organization && row.change > after.0;
            let mut rows: Vec<_> = ledger.deliveries.values().filter(is_new).collect();
            rows.sort_by_key(|row| row.change);
            rows.into_iter().take(limit as usize).map(|row| (ChangeNumber(row.change), row.shown())).collect()
        }))
    }

    async fn progress(
        &self,
        organization: OrganizationId,
        run: RunRef,
        after: u32,
        limit: u32,
    ) -> Result<Option<Progress>, StoreError> {
        Ok(self.read(|ledger| {
            let row = ledger.run_id(organization, run).and_then(|id| ledger.runs.get(&id))?;
            let new = row.results.iter().skip(after as usize).take(limit as usize);
            let verdicts = new.map(|result| Verdict {
                scenario_id: result.scenario_id.clone(),
                scenario_name: result.scenario_name.clone(),
                status: result.status,
            });
            Some(Progress { run: ledger.shown(row), verdicts: verdicts.collect() })
        }))
    }
}
