//! `/test-suites`

pub(super) mod create;
pub(super) mod list;

pub(super) use create::create;
pub(super) use list::list;
