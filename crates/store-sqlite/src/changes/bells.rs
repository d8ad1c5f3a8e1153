//! Who is told that an organization's runs or deliveries changed.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use preclinical_core::{id::OrganizationId, port::Watch};
use rusqlite::{Connection, functions::FunctionFlags, types::Null};
use tokio::sync::watch;

use crate::row::Id;

/// Numbering a delivery writes to its organization, hence the first trigger hears of every delivery that changed.
const TRIGGERS: &str = "
    CREATE TEMP TRIGGER note_deliveries AFTER UPDATE OF last_change ON main.organizations
    BEGIN SELECT note_change(NEW.id); END;
    CREATE TEMP TRIGGER note_runs AFTER UPDATE ON main.runs
    BEGIN SELECT note_change(NEW.organization_id); END;
";

/// One bell for each organization that somebody watches.
#[derive(Default)]
pub(crate) struct Bells {
    watched: Mutex<HashMap<OrganizationId, watch::Sender<()>>>,
    noted: Mutex<HashSet<OrganizationId>>,
}

impl Bells {
    /// Makes a connection note whom its transactions concern. Other connections do not ring.
    pub(crate) fn listen_to(self: &Arc<Self>, connection: &Connection) -> rusqlite::Result<()> {
        let bells = Arc::clone(self);
        connection.create_scalar_function("note_change", 1, FunctionFlags::SQLITE_UTF8, move |context| {
            let Id(organization) = context.get::<Id<OrganizationId>>(0)?;
            lock(&bells.noted).insert(organization);
            Ok(Null)
        })?;
        connection.execute_batch(TRIGGERS)
    }

    /// Rings for all that was noted; to be called after the commit. What was rolled back rings, too: it does no harm.
    pub(crate) fn ring(&self) {
        let noted = std::mem::take(&mut *lock(&self.noted));
        if noted.is_empty() {
            return;
        }
        let watched = lock(&self.watched);
        for bell in noted.iter().filter_map(|organization| watched.get(organization)) {
            bell.send_replace(());
        }
    }

    /// An ear for the organization. Bells that nobody hears any more are taken down.
    pub(super) fn watch(&self, organization: OrganizationId) -> Box<dyn Watch> {
        let mut watched = lock(&self.watched);
        watched.retain(|_, bell| bell.receiver_count() > 0);
        let bell = watched.entry(organization).or_insert_with(|| watch::channel(()).0);
        Box::new(Ear(bell.subscribe()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

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
