//! The pages from outside: a browser that does what its user and the pages say.

mod account;
mod agents;
mod api_keys;
mod browser;
mod custom_headers;
mod deliveries;
mod door;
mod joining;
mod members;
mod organization;
mod run;
mod runs;
mod signing_in;
mod snippet;
mod webhook_health;
mod webhooks;

pub(crate) use self::browser::{Browser, Shown};
