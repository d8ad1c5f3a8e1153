//! `/webhooks/deliveries`: the delivery history.

mod cursor;
mod get;
mod list;
mod redeliver;

pub(super) use get::get;
pub(super) use list::{list, list_of_webhook};
pub(super) use redeliver::redeliver;

use crate::error::ApiError;

fn missing() -> ApiError {
    ApiError::not_found("delivery")
}
