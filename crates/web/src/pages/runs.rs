//! Runs: the list with the pass rate over time, and the page of one run, where the address in a webhook leads.

mod cancel;
mod chart;
mod list;
mod nothing;
mod rows;
mod show;
mod verdicts;

pub(super) use cancel::cancel;
pub(super) use list::{list, of_agent};
pub(super) use show::show;
