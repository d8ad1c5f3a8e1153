//! `/runs`

pub(super) mod cancel;
pub(super) mod complete;
pub(super) mod create;
pub(super) mod decisions;
pub(super) mod get;
pub(super) mod list;
pub(super) mod report;
pub(super) mod results;

pub(super) use cancel::cancel;
pub(super) use complete::complete;
pub(super) use create::create;
pub(super) use decisions::decisions;
pub(super) use get::get;
pub(super) use list::list;
pub(super) use report::report;
pub(super) use results::results;
