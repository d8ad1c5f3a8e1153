//! Calls about the server itself, which everybody may make.

pub(super) mod docs;
pub(super) mod health;
pub(super) mod openapi;

pub(super) use docs::docs;
pub(super) use health::health;
pub(super) use openapi::openapi;
