//! Proofs by breaking things: the product's binary as processes, faults while it works, and books outside of it that are
//! compared afterwards.
//!
//! - Who asks and what it was told: [`producer`]. Who receives and what it answered: [`sink`]. What the product says of
//!   itself: [`history`]. None of them goes down with the product.
//! - [`checker`] compares the three, id by id. It knows nothing of faults, and says what was lost, repeated, forged, changed or
//!   kept from the history. [`restoration`] does so for a copy that took a database's place.
//! - [`site`] is a database with the nodes that serve it, [`backup`] copies of it, [`node`] one process.
//! - [`proof`]: one function a guarantee, the same for a test of seconds and for the long run of `cargo torture`; what differs
//!   is the size.
//! - [`disk`] remembers what was done to it, so that the power can be cut at any point: a killed process leaves to the system
//!   whatever it wrote.
//!
//! Every choice follows from a seed, as far as a machine repeats itself: what is drawn is the same, when it happens is not.
//!
//! Left out on purpose: networks that drop packets.

pub mod api;
pub mod backup;
pub mod checker;
pub mod dice;
pub mod disk;
pub mod history;
pub mod node;
pub mod outcome;
pub mod producer;
pub mod proof;
pub mod restoration;
pub mod sink;
pub mod site;
