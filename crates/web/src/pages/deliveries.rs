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
mod visible;

pub(super) use actions::{cancel, redeliver};
pub(super) use bulk::{cancel as cancel_bulk, job, jobs, offer, start};
pub(super) use check::check_signature;
pub(super) use detail::show;
pub(super) use history::history;

use super::failure::Failure;

/// No delivery of that id, or one of somebody else.
fn missing() -> Failure {
    Failure::not_found("delivery")
}
