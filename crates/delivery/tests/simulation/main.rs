//! A simulation of the delivery path: the engine on a store, several nodes of it, a receiver that does what chance says, time that
//! passes only when it is told to, and an oracle that knows what must be.
//!
//! A seed decides everything, so a seed that fails, fails again; it tells its story, and only it is run, with
//!
//! ```text
//! SIMULATION_SEED=1234 cargo test -p preclinical-delivery --test simulation in_memory
//! ```
//!
//! `SIMULATION_SEEDS=100000` looks at that many. `SIMULATION_FIRST=5000` begins there.
//!
//! Left out on purpose: the network and the disk. Connections, TLS and names have tests against real receivers, and what a crash
//! leaves of a process and its file is tested with the built binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod controls;
mod dice;
mod flaw;
mod grounds;
mod node;
mod oracle;
mod plan;
mod receiver;
mod scenes;
mod seeds;
mod simulation;
mod weather;
mod witness;
