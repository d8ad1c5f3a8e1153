//! `/deliveries/redeliver` and `/deliveries/redeliveries`: many deliveries repeated by one order.

mod job;
mod jobs;
mod offer;
mod progress;
mod selection;

pub(in crate::pages) use job::{cancel, job};
pub(in crate::pages) use jobs::jobs;
pub(in crate::pages) use offer::{offer, start};
pub(super) use selection::offer_of;
