//! The pages from outside: the real router on the real embedded store, and a browser that does what its user and the pages say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

#[path = "../api/app.rs"]
#[allow(dead_code, reason = "the API's tests use the rest")]
mod app;
mod browser;
mod door;
mod joining;
mod signing_in;
