//! Who is told that an organization's runs or deliveries changed.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use preclinical_core::{
    id::OrganizationId,
    port::{ChangeNumber, Watch},
};
use rusqlite::Connection;
use tokio::sync::watch;

/// One bell for each organization that somebody watches.
#[derive(Default)]
pub(crate) struct Bells {
    watched: Mutex<HashMap<OrganizationId, Bell>>,
    noted: Mutex<HashSet<OrganizationId>>,
}

struct Bell {
    rope: watch::Sender<()>,
    /// The latest change of a delivery that was there when it was hung up, or that it rang for since.
    latest: ChangeNumber,
}

impl Bells {
    /// Notes that a run of the organization changed, to be called by whoever writes that. Changes of deliveries are noticed by their
    /// numbers.
    pub(crate) fn note(&self, organization: OrganizationId) {
        lock(&self.noted).insert(organization);
    }

    /// Rings for all that changed; to be called by the writer after each commit. What was rolled back rings, too: it does no harm. Bells
    /// that nobody hears any more are taken down.
    pub(crate) fn ring(&self, connection: &Connection) {
        let noted = std::mem::take(&mut *lock(&self.noted));
        let mut watched = lock(&self.watched);
        watched.retain(|_, bell| bell.rope.receiver_count() > 0);
        if watched.is_empty() {
            return;
        }
        // One look at the file for all of them.
        let look = connection.unchecked_transaction();
        for (organization, bell) in &mut *watched {
            // Who cannot be sure rings.
            let latest = super::latest(connection, *organization).unwrap_or(ChangeNumber(u64::MAX));
            if latest != bell.latest || noted.contains(organization) {
                bell.latest = latest;
                bell.rope.send_replace(());
            }
        }
        drop(look);
    }

    /// An ear for the organization, whose latest change was that.
    pub(super) fn watch(&self, organization: OrganizationId, latest: ChangeNumber) -> Box<dyn Watch> {
        let mut watched = lock(&self.watched);
        let bell = watched.entry(organization).or_insert_with(|| Bell { rope: watch::channel(()).0, latest });
        Box::new(Ear(bell.rope.subscribe()))
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
