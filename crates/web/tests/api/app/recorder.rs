//! A delivery engine that sends nothing and remembers everything.

use std::sync::Arc;

use preclinical_core::{
    clock::Clock,
    delivery::{Claimed, Lease},
    id::{LeaseToken, OrganizationId, WebhookId},
    port::{Admission, Admitted, Applicant, AttemptSummary, Handoff, Offer, Reservation, Sent},
};
use preclinical_testkit::{chance::SeededChance, clock::ManualClock, world::LEASE};
use tokio::sync::watch;

/// The engine; clones share it.
#[derive(Clone)]
pub(crate) struct Recorder {
    clock: Arc<ManualClock>,
    chance: Arc<SeededChance>,
    state: Arc<watch::Sender<State>>,
}

#[derive(Debug)]
struct State {
    has_room: bool,
    /// How often a place was given out.
    reserved: usize,
    /// Places that are out now.
    held: usize,
    sent: Vec<Claimed>,
    wakes: usize,
    jobs: usize,
    ends: Option<AttemptSummary>,
}

impl Recorder {
    pub(super) fn new(clock: Arc<ManualClock>, chance: Arc<SeededChance>) -> Self {
        let ends = Some(AttemptSummary { delivered: true, http_status: Some(200), error: None });
        let state = State { has_room: true, reserved: 0, held: 0, sent: Vec::new(), wakes: 0, jobs: 0, ends };
        Self { clock, chance, state: Arc::new(watch::Sender::new(state)) }
    }

    /// From now on no place is free.
    pub(crate) fn fill(&self) {
        self.state.send_modify(|state| state.has_room = false);
    }

    /// How attempts end from now on; `None` if it cannot be recorded.
    pub(crate) fn end_with(&self, ends: Option<AttemptSummary>) {
        self.state.send_modify(|state| state.ends = ends);
    }

    /// What was handed over to be sent at once.
    pub(crate) fn sent(&self) -> Vec<Claimed> {
        self.state.borrow().sent.clone()
    }

    /// How often the engine was told that something is due.
    pub(crate) fn wakes(&self) -> usize {
        self.state.borrow().wakes
    }

    /// How often the engine was told of a bulk redelivery.
    pub(crate) fn jobs(&self) -> usize {
        self.state.borrow().jobs
    }

    /// Waits until as many places were given out in all.
    pub(crate) async fn reserved(&self, times: usize) {
        self.state.subscribe().wait_for(|state| state.reserved >= times).await.unwrap();
    }

    /// How often a place was given out.
    pub(crate) fn reservations(&self) -> usize {
        self.state.borrow().reserved
    }

    /// Waits until every place is back, used or not.
    pub(crate) async fn idle(&self) {
        self.state.subscribe().wait_for(|state| state.held == 0).await.unwrap();
    }
}

impl Recorder {
    fn place(&self) -> Option<Place> {
        if !self.state.borrow().has_room {
            return None;
        }
        self.state.send_modify(|state| {
            state.reserved += 1;
            state.held += 1;
        });
        let now = self.clock.now();
        let lease = Lease { token: LeaseToken::generate(now, &*self.chance), until: now.checked_add(LEASE).unwrap() };
        Some(Place { lease, state: self.state.clone() })
    }
}

impl Handoff for Recorder {
    fn offer(&self) -> Arc<dyn Offer> {
        Arc::new(OnePlace { place: self.place() })
    }

    fn reserve_for_test(&self, _: OrganizationId, _: WebhookId) -> Option<Box<dyn Reservation>> {
        self.place().map(|place| Box::new(place) as _)
    }

    fn wake(&self) {
        self.state.send_modify(|state| state.wakes += 1);
    }

    fn wake_redeliveries(&self) {
        self.state.send_modify(|state| state.jobs += 1);
    }
}

/// A place, if there was one, for whoever is admitted first.
#[derive(Debug)]
struct OnePlace {
    place: Option<Place>,
}

impl Admission for OnePlace {
    fn room(&self) -> usize {
        usize::from(self.place.is_some())
    }

    fn admit(&self, _: &Applicant) -> Admitted {
        self.place.as_ref().map_or(Admitted::Full, |place| Admitted::Granted(place.lease))
    }

    fn granted(&self) -> Vec<LeaseToken> {
        self.place.iter().map(|place| place.lease.token).collect()
    }
}

impl Offer for OnePlace {
    fn send(&self, claimed: Claimed) -> Sent {
        self.place.as_ref().expect("a place").send(claimed)
    }
}

#[derive(Debug)]
struct Place {
    lease: Lease,
    state: Arc<watch::Sender<State>>,
}

impl Reservation for Place {
    fn lease(&self) -> Lease {
        self.lease
    }

    fn send(self: Box<Self>, claimed: Claimed) -> Sent {
        Self::send(&self, claimed)
    }
}

impl Place {
    fn send(&self, claimed: Claimed) -> Sent {
        assert_eq!(claimed.lease, self.lease, "a delivery is sent under the lease of its place");
        self.state.send_modify(|state| state.sent.push(claimed));
        let ends = self.state.borrow().ends.clone();
        Box::pin(std::future::ready(ends))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.state.send_modify(|state| state.held -= 1);
    }
}
