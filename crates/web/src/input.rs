//! How requests are read: strictly, with the field's name in every refusal.

mod body;
mod fields;
mod json;
mod path;
mod query;
pub(crate) mod room;

pub(crate) use body::{Body, LARGE, SMALL, read_body};
pub(crate) use fields::{Fields, Length};
pub(crate) use json::parse as parse_json;
pub(crate) use path::Id;
pub(crate) use query::{DEFAULT_LIMIT, MAX_LIMIT, Query};
