//! The delivery engine: turns due deliveries into signed HTTP requests and records every attempt.
//!
//! It makes no attempt that is not recorded as started, holds no transaction while it talks to a receiver, and gives every
//! attempt one deadline that covers everything from the name's resolution to the last byte that is read.
//!
//! Places are shared out so that what hangs, fails or is much leaves room for what is well and little (`shares.rs`).

mod answer;
mod attempt;
mod client;
mod connector;
mod engine;
mod failure;
mod housekeeping;
mod memo;
mod offer;
mod places;
mod platform;
mod presence;
mod probe;
mod redelivery;
mod shares;
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
