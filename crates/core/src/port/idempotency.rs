//! Calls that may be repeated are remembered.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::{
    id::LeaseToken,
    idempotency::{Begun, CallId, KeptAnswer, NewCall},
};

/// The memory of calls.
#[async_trait]
pub trait Idempotency: Send + Sync {
    /// Begins a call, unless it is known. However many begin it at once, one carries it out.
    ///
    /// A call that nobody answered can be begun again when its time is up or [`Self::release_call`] gave it back, and has the
    /// subject of its first try. A call that began [`REMEMBERED`](crate::idempotency::REMEMBERED) ago is a new one.
    async fn begin_call(&self, call: NewCall) -> Result<Begun, StoreError>;

    /// Keeps the answer of a call for those who repeat it. Ignored from whoever does not carry it out any more.
    async fn keep_answer(&self, id: CallId, token: LeaseToken, answer: KeptAnswer) -> Result<(), StoreError>;

    /// Gives a call back that was not carried out, or whose end is unknown: it may be begun again, also with another body.
    /// Ignored from whoever does not carry it out any more.
    async fn release_call(&self, id: CallId, token: LeaseToken) -> Result<(), StoreError>;

    /// Forgets calls that began before that time, the oldest first, at most so many. Answers how many it forgot.
    async fn forget_calls(&self, before: Timestamp, most: u32) -> Result<u64, StoreError>;
}
