//! For tests only: what the tests of several crates share.
//!
//! - [`conformance`]: the rules of the store port, one function each; [`conformance_suite!`] makes a test of every rule.
//! - [`world`]: an organization with its agents and webhooks on any store.
//! - [`attack`]: URLs that must never be called.
//! - [`clock`], [`chance`]: time turned by hand and chance that repeats itself.
//! - [`interception`]: a store that a test can look into, take apart and make fail; [`reference`](mod@reference): one in memory.
//! - [`receiver`]: an HTTP receiver that answers byte for byte what it is told to; [`authority`]: who vouches for it over TLS;
//!   [`name_server`]: who knows its name.
//! - [`earlier`]: databases of earlier versions, and what must become of them.
//! - [`fuzz`]: how much is tried of what is made by chance.
//! - [`document`]: the measured part of a text that people write.
//! - [`postgres`]: databases that a test may throw away, and servers that it may break.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc, reason = "this is test code")]

pub mod attack;
pub mod authority;
pub mod chance;
pub mod clock;
pub mod conformance;
pub mod document;
pub mod earlier;
pub mod fuzz;
pub mod interception;
pub mod name_server;
pub mod places;
pub mod postgres;
pub mod receiver;
pub mod reference;
pub mod world;
