//! `/deliveries`: what was sent, what came back, and what to do about it.

mod actions;
mod advice;
mod attempt;
mod body;
mod bulk;
mod check;
mod curl;
mod detail;
mod facts;
mod filter;
mod filter_bar;
mod history;
mod names;
mod nothing;
mod rows;
mod timeline;
mod timing;

pub(super) use actions::{cancel, redeliver};
pub(super) use bulk::{cancel as cancel_bulk, job, jobs, offer, start};
pub(super) use check::check_signature;
pub(super) use detail::show;
pub(super) use history::history;

use crate::error::ApiError;

/// The pages above, the highest first.
const ABOVE: [(&str, &str); 4] = [
    ("Settings", "/settings/webhooks"),
    ("Webhooks", "/settings/webhooks"),
    ("Delivery history", "/deliveries"),
    ("Bulk redeliveries", "/deliveries/redeliveries"),
];

/// No delivery of that id, or one of somebody else.
fn missing() -> ApiError {
    ApiError::not_found("delivery")
}
