//! Places on offer to a call of the store, which knows the webhooks that want them.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use preclinical_core::{
    delivery::{Claimed, Lease},
    id::{DeliveryId, LeaseToken},
    port::{Admission, Admitted, Applicant, Offer, Sent},
};

use crate::{
    engine::Engine,
    places::Place,
    shares::{Asks, Refusal},
};

/// So many places at most. Those that were given away and not taken out are given back when it is dropped.
pub(crate) struct EngineOffer {
    engine: Arc<Engine>,
    room: usize,
    asks: Asks,
    granted: Mutex<HashMap<DeliveryId, (Lease, Place)>>,
    has_refused: AtomicBool,
}

impl EngineOffer {
    pub(crate) fn new(engine: &Arc<Engine>, room: usize, asks: Asks) -> Self {
        Self { engine: Arc::clone(engine), room, asks, granted: Mutex::default(), has_refused: AtomicBool::new(false) }
    }

    /// Takes out the place that was given away for a delivery.
    pub(crate) fn take(&self, claimed: &Claimed) -> Option<Place> {
        self.granted().remove(&claimed.delivery_id).map(|(_, place)| place)
    }

    /// Whether somebody got no place although there was one left here.
    pub(crate) fn has_refused(&self) -> bool {
        self.has_refused.load(Ordering::Relaxed)
    }

    fn granted(&self) -> MutexGuard<'_, HashMap<DeliveryId, (Lease, Place)>> {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission for EngineOffer {
    fn room(&self) -> usize {
        self.room
    }

    fn admit(&self, applicant: &Applicant) -> Admitted {
        let mut granted = self.granted();
        if let Some((lease, _)) = granted.get(&applicant.delivery) {
            return Admitted::Granted(*lease);
        }
        if granted.len() >= self.room {
            return Admitted::Full;
        }
        let Applicant { delivery, organization, webhook, standing } = *applicant;
        match self.engine.places.give(|shares, now| shares.admit(organization, webhook, standing, self.asks, now)) {
            Ok(place) => {
                let lease = self.engine.lease();
                granted.insert(delivery, (lease, place));
                Admitted::Granted(lease)
            }
            Err(refusal) => {
                self.has_refused.store(true, Ordering::Relaxed);
                match refusal {
                    Refusal::Webhook => Admitted::NotThisWebhook,
                    Refusal::Organization => Admitted::NotThisOrganization,
                    Refusal::Everybody => Admitted::Full,
                }
            }
        }
    }

    fn granted(&self) -> Vec<LeaseToken> {
        self.granted().values().map(|(lease, _)| lease.token).collect()
    }
}

impl Offer for EngineOffer {
    fn send(&self, claimed: Claimed) -> Sent {
        let sending = self.take(&claimed).map(|place| self.engine.start(claimed, place));
        Box::pin(async move { sending?.await.ok().flatten() })
    }
}

impl fmt::Debug for EngineOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineOffer").field("room", &self.room).finish_non_exhaustive()
    }
}
