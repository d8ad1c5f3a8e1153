//! Calls that may be repeated are remembered.

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    id::LeaseToken,
    idempotency::{Begun, CallId, Fingerprint, KeptAnswer, NewCall, REMEMBERED},
    port::{Idempotency, StoreError},
};
use uuid::Uuid;

use super::{Ledger, ReferenceStore};

pub(super) struct Call {
    subject: Uuid,
    fingerprint: Fingerprint,
    token: LeaseToken,
    began_at: Timestamp,
    /// Until when it is somebody's to carry out; missing when it was given back.
    pub(super) held_until: Option<Timestamp>,
    answer: Option<KeptAnswer>,
}

impl Ledger {
    fn begin_call(&mut self, call: &NewCall) -> Begun {
        let known = self.calls.get(call.id.bytes()).filter(|known| call.at.duration_since(known.began_at) < REMEMBERED);
        let first = match known {
            None => None,
            Some(known) => {
                let is_same = known.fingerprint == call.fingerprint;
                match (&known.answer, known.held_until) {
                    (Some(_), _) | (None, Some(_)) if !is_same => return Begun::Reused,
                    (Some(answer), _) => return Begun::Answered(answer.clone()),
                    (None, Some(until)) if until > call.at => return Begun::InProgress,
                    (None, _) => is_same.then_some((known.subject, known.began_at)),
                }
            }
        };
        let (subject, began_at) = first.unwrap_or((call.subject, call.at));
        let (fingerprint, token, held_until) = (call.fingerprint, call.token, Some(call.until));
        self.calls.insert(*call.id.bytes(), Call { subject, fingerprint, token, began_at, held_until, answer: None });
        Begun::CarryOut { subject }
    }
}

#[async_trait]
impl Idempotency for ReferenceStore {
    async fn begin_call(&self, call: NewCall) -> Result<Begun, StoreError> {
        Ok(self.write(|ledger| ledger.begin_call(&call)))
    }

    async fn keep_answer(&self, id: CallId, token: LeaseToken, answer: KeptAnswer) -> Result<(), StoreError> {
        self.write(|ledger| {
            if let Some(call) = ledger.calls.get_mut(id.bytes()).filter(|call| call.token == token) {
                (call.answer, call.held_until) = (Some(answer), None);
            }
        });
        Ok(())
    }

    async fn release_call(&self, id: CallId, token: LeaseToken) -> Result<(), StoreError> {
        self.write(|ledger| {
            if let Some(call) = ledger.calls.get_mut(id.bytes()).filter(|call| call.token == token) {
                call.held_until = None;
            }
        });
        Ok(())
    }

    async fn forget_calls(&self, before: Timestamp, most: u32) -> Result<u64, StoreError> {
        Ok(self.write(|ledger| {
            let old = ledger.calls.iter().filter(|(_, call)| call.began_at < before);
            let mut old: Vec<_> = old.map(|(id, call)| (call.began_at, *id)).collect();
            old.sort_unstable();
            old.truncate(most as usize);
            for (_, id) in &old {
                ledger.calls.remove(id);
            }
            old.len() as u64
        }))
    }
}
