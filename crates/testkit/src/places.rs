//! Places for whoever asks first, except for those whom a rule of the test refuses.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex},
};

use preclinical_core::{
    delivery::Lease,
    id::{DeliveryId, LeaseToken},
    port::{Admission, Admitted, Applicant},
};

type Rule = dyn Fn(&Applicant) -> Option<Admitted> + Send + Sync;

/// So many places as there are leases.
pub struct Places {
    room: usize,
    rule: Box<Rule>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    left: VecDeque<Lease>,
    granted: HashMap<DeliveryId, Lease>,
    asked: Vec<Applicant>,
}

impl Places {
    /// For whoever asks first.
    pub fn of(leases: impl IntoIterator<Item = Lease>) -> Arc<Self> {
        Self::unless(leases, |_| None)
    }

    /// For whoever asks first and is not refused by the rule.
    pub fn unless(
        leases: impl IntoIterator<Item = Lease>,
        rule: impl Fn(&Applicant) -> Option<Admitted> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let left: VecDeque<Lease> = leases.into_iter().collect();
        let (room, state) = (left.len(), State { left, ..State::default() });
        Arc::new(Self { room, rule: Box::new(rule), state: Mutex::new(state) })
    }

    /// Who asked, in order.
    pub fn asked(&self) -> Vec<Applicant> {
        self.state.lock().unwrap().asked.clone()
    }
}

impl Admission for Places {
    fn room(&self) -> usize {
        self.room
    }

    fn admit(&self, applicant: &Applicant) -> Admitted {
        let mut state = self.state.lock().unwrap();
        if let Some(lease) = state.granted.get(&applicant.delivery) {
            return Admitted::Granted(*lease);
        }
        state.asked.push(*applicant);
        if let Some(refusal) = (self.rule)(applicant) {
            return refusal;
        }
        let Some(lease) = state.left.pop_front() else { return Admitted::Full };
        state.granted.insert(applicant.delivery, lease);
        Admitted::Granted(lease)
    }

    fn granted(&self) -> Vec<LeaseToken> {
        self.state.lock().unwrap().granted.values().map(|lease| lease.token).collect()
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places").field("room", &self.room).finish_non_exhaustive()
    }
}
