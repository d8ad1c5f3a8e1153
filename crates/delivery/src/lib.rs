//! The delivery engine: turns due deliveries into signed HTTP requests and records every attempt.
//!
//! It makes no attempt that is not recorded as started, holds no transaction while it talks to a receiver, and gives every
//! attempt one deadline that covers everything from the name's resolution to the last byte that is read.
//!
//! Left out on purpose: a fair share per endpoint and per organization; a hanging endpoint holds places of the common pool.

mod answer;
mod attempt;
mod client;
mod connector;
mod engine;
mod failure;
mod housekeeping;
mod place;
mod platform;
mod presence;
mod probe;
mod redelivery;
mod stopwatch;
mod transport;

pub use answer::Answer;
pub use client::WebhookClient;
pub use connector::{NotAProxy, Proxy};
pub use engine::{Engine, Settings, Tick};
pub use housekeeping::Housekeeping;
pub use platform::Platform;
pub use presence::Presence;
pub use probe::Probe;
pub use redelivery::{Redeliverer, Round};
pub use stopwatch::Stopwatch;
pub use transport::Transport;
