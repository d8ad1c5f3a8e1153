//! `/webhooks/redeliveries`: many deliveries repeated by one order.

pub(super) mod cancel;
pub(crate) mod create;
pub(super) mod get;
pub(super) mod list;

pub(super) use cancel::cancel;
pub(super) use create::create;
pub(super) use get::get;
pub(super) use list::list;

use crate::error::ApiError;

fn missing() -> ApiError {
    ApiError::not_found("bulk redelivery")
}
