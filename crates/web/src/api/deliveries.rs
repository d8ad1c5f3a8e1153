//! `/webhooks/deliveries`: the delivery history.

pub(crate) mod cancel;
pub(crate) mod cursor;
pub(super) mod get;
pub(super) mod list;
pub(super) mod list_of_webhook;
pub(crate) mod redeliver;

pub(super) use cancel::cancel;
pub(super) use get::get;
pub(super) use list::list;
pub(super) use list_of_webhook::list_of_webhook;
pub(super) use redeliver::redeliver;

use crate::error::ApiError;

fn missing() -> ApiError {
    ApiError::not_found("delivery")
}
