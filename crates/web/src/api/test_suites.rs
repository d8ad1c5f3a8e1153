//! `/test-suites`

mod create;
mod list;

pub(super) use create::create;
pub(super) use list::list;
