//! Who is told what changed: whoever watches an organization, and engines that have places for work that others left.
//!
//! News of this node come after its commits, those of others by `NOTIFY`. A bell rings only once the change can be read: not before
//! every transaction that may have a lower number has ended, see [`changes`](crate::changes).

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use preclinical_core::{id::OrganizationId, port::Watch};
use tokio::sync::{Notify, watch};

/// What a transaction has to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// Whose runs or deliveries it changed.
    pub(crate) organizations: BTreeSet<OrganizationId>,
    /// Whether it left a delivery that is due.
    pub(crate) work: bool,
}

impl News {
    pub(crate) fn is_empty(&self) -> bool {
        self.organizations.is_empty() && !self.work
    }

    fn add(&mut self, other: Self) {
        self.organizations.extend(other.organizations);
        self.work |= other.work;
    }
}

/// One bell for each organization that somebody watches, and one for work.
pub(crate) struct Bells {
    watched: Mutex<HashMap<OrganizationId, watch::Sender<()>>>,
    work: watch::Sender<()>,
    /// What this node's commits have to tell, until the listener takes it.
    untold: Mutex<News>,
    /// Rings when there is something untold.
    pub(crate) told: Notify,
}

impl Default for Bells {
    fn default() -> Self {
        Self { watched: Mutex::default(), work: watch::channel(()).0, untold: Mutex::default(), told: Notify::new() }
    }
}

impl Bells {
    /// Takes what a commit has to tell; the listener rings for it.
    pub(crate) fn announce(&self, news: News) {
        if !news.is_empty() {
            lock(&self.untold).add(news);
            self.told.notify_one();
        }
    }

    /// What was announced and not yet told.
    pub(crate) fn take_untold(&self) -> News {
        std::mem::take(&mut *lock(&self.untold))
    }

    /// Those of the organizations that somebody watches here.
    pub(crate) fn watched_of(&self, organizations: BTreeSet<OrganizationId>) -> BTreeSet<OrganizationId> {
        let watched = lock(&self.watched);
        organizations.into_iter().filter(|organization| watched.contains_key(organization)).collect()
    }

    /// All that somebody watches.
    pub(crate) fn watched(&self) -> BTreeSet<OrganizationId> {
        lock(&self.watched).keys().copied().collect()
    }

    /// Rings for these organizations.
    pub(crate) fn ring(&self, organizations: &BTreeSet<OrganizationId>) {
        let watched = lock(&self.watched);
        for bell in organizations.iter().filter_map(|organization| watched.get(organization)) {
            bell.send_replace(());
        }
    }

    /// Rings for work.
    pub(crate) fn ring_for_work(&self) {
        self.work.send_replace(());
    }

    /// Rings everywhere, because nobody knows what was missed.
    pub(crate) fn ring_all(&self) {
        lock(&self.watched).values().for_each(|bell| bell.send_replace(()));
        self.ring_for_work();
    }

    /// An ear for the organization. Bells that nobody hears any more are taken down.
    pub(crate) fn watch(&self, organization: OrganizationId) -> Box<dyn Watch> {
        let mut watched = lock(&self.watched);
        watched.retain(|_, bell| bell.receiver_count() > 0);
        let bell = watched.entry(organization).or_insert_with(|| watch::channel(()).0);
        Box::new(Ear(bell.subscribe()))
    }

    /// An ear for work that others left.
    pub(crate) fn watch_work(&self) -> Box<dyn Watch> {
        Box::new(Ear(self.work.subscribe()))
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
