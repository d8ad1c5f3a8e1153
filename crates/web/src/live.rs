//! Streams of server-sent events: what happened, told while it happens.
//!
//! - The id of an event is a place in the store. Whoever comes back with it gets what is new since then, on whatever server,
//!   and misses nothing.
//! - Nothing waits in memory for a client. Its connection asks for the next event when it has sent the last one, and then the
//!   store is read; a slow client gets fewer, later states.
//! - The store is read when it rang, once for all that happened meanwhile, and else not at all.
//! - With every [beat](Streams::beat) a stream sends `: ping` and looks whether its listener is still admitted; it ends if not.
//! - How many streams are open is limited, for each listener and in all. They end at once when the server does.

mod deliveries;
pub(crate) mod following;
mod last_event_id;
mod listener;
mod run;
mod streams;
mod telling;

pub(crate) use self::listener::Listener;
pub use self::streams::{StreamLimits, Streams};
use self::{
    deliveries::{Deliveries, Which},
    last_event_id::LastEventId,
    run::{OneRun, RunPlace},
};
