//! `/api-keys`

pub(crate) mod create;
pub(super) mod list;
pub(super) mod revoke;

pub(super) use create::create;
pub(super) use list::list;
pub(super) use revoke::revoke;
