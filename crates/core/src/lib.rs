//! What Preclinical Webhooks is about, as values and pure decisions.
//!
//! A finished test run, its event and its deliveries are one durable fact. This crate says what such a fact may look like
//! ([`run`], [`event`], [`delivery`]), decides everything that can be decided without touching the world ([`choice`],
//! [`retry`], [`signature`], [`payload`], [`address`]), and states in [`port`] what a store has to guarantee.
//!
//! Left out on purpose: tokio, SQL, HTTP, IO, the system's time and its random source. Time and chance are arguments.

pub mod address;
pub mod agent;
pub mod api_key;
pub mod attempt;
pub mod chance;
pub mod choice;
pub mod clock;
pub mod custom_header;
pub mod decision;
pub mod delivery;
pub mod endpoint;
pub mod event;
pub mod hash;
pub mod health;
pub mod id;
pub mod idempotency;
pub mod in_force;
pub mod invisible;
pub mod invitation;
pub mod member;
pub mod organization;
pub mod password;
pub mod payload;
pub mod port;
pub mod redelivery;
pub mod replay_on_recovery;
pub mod request;
pub mod retry;
pub mod retry_after;
pub mod reveal;
pub mod run;
pub mod scenario;
pub mod scope;
pub mod search;
pub mod secret;
pub mod session;
pub mod signature;
pub mod signature_check;
pub mod slug;
pub mod surrogate;
pub mod tally;
pub mod test_suite;
pub mod timing;
pub mod token;
pub mod vault;
pub mod version;
pub mod webhook;
pub mod wire_time;
