//! `/runs`

mod cancel;
mod complete;
mod create;
mod decisions;
mod get;
mod list;
mod report;
mod results;

pub(super) use cancel::cancel;
pub(super) use complete::complete;
pub(super) use create::create;
pub(super) use decisions::decisions;
pub(super) use get::get;
pub(super) use list::list;
pub(super) use report::report;
pub(super) use results::results;
