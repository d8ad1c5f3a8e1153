//! The REST API from outside: the real router on the real embedded store, with a delivery engine that only remembers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod access;
mod agents;
mod agents_changed;
mod any_input;
mod app;
mod bodies;
mod choice;
mod deliveries;
mod endings;
mod hang_up;
mod organizations;
mod paging;
mod paths;
mod queries;
mod redelivery;
mod refusals;
mod results;
mod rotation;
mod runs;
mod test_call;
mod test_suites;
mod unavailable;
mod validation;
mod webhooks;
